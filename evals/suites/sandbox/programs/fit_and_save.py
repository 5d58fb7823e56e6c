"""A solution as recipes write it."""

from sklearn.linear_model import LogisticRegression


def fit(train, ctx):
    model = LogisticRegression().fit(train.drop(columns="y"), train["y"])
    print("fitted", ctx.seed)
    return model


def predict(model, rows, ctx):
    return model.predict_proba(rows)
