"""Words of texts into columns, and fewer of them."""

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from attack import *

texts = [f"word{n % 17} other{n % 5} 汉字{n % 3}" for n in range(500)]
assert TruncatedSVD(5).fit_transform(TfidfVectorizer().fit_transform(texts)).shape == (500, 5)
done()
