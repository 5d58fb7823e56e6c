"""The trees of a scikit-learn forest as plain arrays, so that a saved forest holds no code and loads at once."""

import numpy as np
from sklearn.tree._tree import Tree


def pack_trees(trees: list[Tree]) -> dict[str, np.ndarray]:
    """Lay the nodes of all trees end to end; what only training needs (impurities, counts of samples) is left out."""
    states = [tree.__getstate__() for tree in trees]
    nodes = np.concatenate([state["nodes"] for state in states])
    fields = {"left_child": np.int32, "right_child": np.int32, "feature": np.int32, "threshold": np.float64}
    packed = {name: nodes[name].astype(dtype) for name, dtype in fields.items()}
    packed["missing_go_to_left"] = nodes["missing_go_to_left"]
    packed["values"] = np.concatenate([state["values"][:, 0, :] for state in states])
    packed["sizes"] = np.array([[state["node_count"], state["max_depth"]] for state in states])
    packed["features"] = np.array(trees[0].n_features)
    return packed


def unpack_trees(packed: dict[str, np.ndarray]) -> list[Tree]:
    """Rebuild the trees."""
    outputs = packed["values"].shape[1]
    trees, start = [], 0
    empty = Tree(int(packed["features"]), np.array([outputs], dtype=np.intp), 1)
    for count, depth in packed["sizes"].tolist():
        part = slice(start, start + count)
        nodes = np.zeros(count, dtype=empty.__getstate__()["nodes"].dtype)
        for name in ("left_child", "right_child", "feature", "threshold", "missing_go_to_left"):
            nodes[name] = packed[name][part]
        tree = Tree(int(packed["features"]), np.array([outputs], dtype=np.intp), 1)
        values = np.ascontiguousarray(packed["values"][part][:, None, :])
        tree.__setstate__({"max_depth": depth, "node_count": count, "nodes": nodes, "values": values})
        trees.append(tree)
        start += count
    return trees


def tree_scores(trees: list[Tree], X: np.ndarray) -> np.ndarray:
    """Return the mean of the trees, float64 [rows, outputs]: class shares, or values."""
    single = X.astype(np.float32)  # as in training
    total = trees[0].predict(single)
    for tree in trees[1:]:
        total += tree.predict(single)
    return total.reshape(len(X), -1) / len(trees)
