"""Free text as weights of words and of runs of characters."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

# Words of one letter count too: "I" and "a" in English, more so elsewhere.
WORD = r"(?u)\b\w+\b"


def make_vectorizer(analyzer: str, ngrams: list[int], **options: object) -> TfidfVectorizer:
    """Make an untrained vectorizer of words (`word`) or of runs of characters (`char`, `char_wb`)."""
    pattern = WORD if analyzer == "word" else None
    return TfidfVectorizer(
        analyzer=analyzer, ngram_range=tuple(ngrams), token_pattern=pattern, sublinear_tf=True, **options
    )


def learn_vocabularies(texts: pd.Series, *, most: int) -> list[dict]:
    """Learn which words and runs of characters occur, and how rare they are. Plain JSON.

    Chinese is written without spaces: its characters take the place of words.
    """
    chinese = texts.head(1000).str.count(r"[\u3400-\u9fff]").sum() > 0.2 * texts.head(1000).str.len().sum()
    kinds = [("char", [1, 3])] if chinese else [("word", [1, 2]), ("char_wb", [3, 5])]
    learned = []
    for analyzer, ngrams in kinds:
        vectorizer = make_vectorizer(analyzer, ngrams, max_features=most, min_df=2 if len(texts) > 100 else 1)
        try:
            vectorizer.fit(texts)
        except ValueError:  # no word occurs twice: this column says nothing in this way
            continue
        terms = vectorizer.get_feature_names_out().tolist()
        learned.append({"analyzer": analyzer, "ngrams": ngrams, "terms": terms, "idf": vectorizer.idf_.tolist()})
    return learned


def text_weights(texts: pd.Series, vocabularies: list[dict]) -> sparse.csr_matrix:
    """Return TF-IDF weights, sparse float64 [rows, terms]; unknown words count nothing."""
    parts = [sparse.csr_matrix((len(texts), 0))]
    for known in vocabularies:
        vectorizer = make_vectorizer(known["analyzer"], known["ngrams"], vocabulary=known["terms"])
        vectorizer.idf_ = np.array(known["idf"])
        parts.append(vectorizer.transform(texts))
    return sparse.hstack(parts, format="csr")
