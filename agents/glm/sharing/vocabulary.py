"""Words that error messages of Python and of the installed libraries are made of; what else a message says may be a value.

Counted in the messages that pandas, numpy, scipy, scikit-learn, LightGBM, XGBoost, CatBoost, pyarrow and the standard library raise
and warn with: words that occur in four or more of their modules, without those that often stand in cells.
"""

import builtins

_WORDS = """
about above absolute accept accepted accepts access accessor accurate action active actual actually add added
addition additional adjust affinity after again algorithm alias aliases align aligned all allow allowed along alpha
already also alternative alternatively always ambiguous an and another any anymore api apis appear appears append
applicable applied apply appropriate arbitrary archive are area arg args argument arguments arr array arrays arrow
as ascending ascii asof assign assignment associated assuming astype asymptotic at atol attempting attribute
attributes auto automatic automatically available average avoid aware axes axis back backed backend backward bad
balanced base based baseestimator batch bc be because been before beginning behavior behaviour being below best beta
better between big binary bins bit blas block blocking blocks bool boolean booster bootstrap both bottom bound
boundaries boundary bounds bracket broadcast broadcastable broadcasting buffer bug build built builtin but by byte
bytearray bytes cache calculate calculation call callable callables callback callbacks called calling calls can
cannot case cases cast casted catboost categorical categoricals categories category cause caused cdf center centers
change changed changing char character characters check checksum child choice choices choose choosing chosen chunk
chunks chunksize class classes classification classifier clean close closed cluster clusters code codes coef
coefficient coefficients coerce col collection color colormap cols column columns combination command comment common
compare compatibility compatible compiled compiler complex component components compressed compression computation
compute computed concat cond conda condition conditioned conditions confidence config configuration conflict
conflicting connected connection consider consistent constant constants constraint constraints construct constructed
constructing constructor contain contained container containing contains context contiguous continuous control
convention converge converged convergence convergencewarning conversion convert converted convertible converting
coordinate coordinates copy core correct correction correctly correlation correspond corresponding corrupt could
count cov covariance cpu create created creating creation criterion cross csc csr ctypes current currently curve
custom cv cycle dask data dataframe dataframes dataop dataset datasets date dateoffset dates datetime datetimeindex
datetimes datetimetzdtype daysinmonth ddof deal decimal decision decoded decomposition decreasing default define
defined definite definition deg degenerate degree degrees delete deleted delimiter delta dense density dependence
dependency deprecated deprecation deprecationwarning depth derivation derivative derivatives describe description
descriptor desired details detected determine determined dev developers deviation device df diagonal diagonals dict
dictionary did didn diff differ different digit dim dimension dimensional dimensionality dimensions dir direction
directly directories directory disable discrete disk dispatch display dist distance distances distinct distributed
distribution distributions distutils divide division do doc docstring document documentation does doesn domain don
done dot double down download driver drop dropped dt dtype dtypes dual due duplicate duplicated duplicates duration
during each early effect efficient eigen eigenvalues eigenvectors either element elements ellipsis empty enable
enabled encode encoding encountered end ended engine enough ensure enter entries entry environment eof eps epsilon
eq equal equality equivalent error errors estimate estimated estimates estimation estimator estimators eval evaluate
evaluated evaluation even every exact exactly example exceed exceeded exceeds excel exception exclude exclusive exec
executable executor exist existing exists exit exited expect expected expecting expects experimental explicit
explicitly exponent expression extension extensionarray extensions extra extract factor factorization fail failed
fails fallback falling false favor feature features few fewer fft field fields file filename files fill filling
fillna filter filters final find finding finished finite first fit fitted fitting fix fixed flag flags float
floating floats fmt fname fold folder folds follow following follows for forbidden force fork form format formats
formatted fortran forward found four fp fraction fractional frame frames freedom freq frequencies frequency from
frozen fs full fully func function functions future futures futurewarning gain generate generated generator get
getnnz give given global got gpu gradient graph greater grid group groupby grouping groups guess guide had handle
handled handles handling happen has hashable hashing have having header help here hessian high higher histogram hold
how html id identical identifier identifiers idx if ignore ignored ignoring illegal image imaginary implement
implementation implemented implicit import importance importances importing importlib impossible improper improve
improvement in include included inclusive incompatible incomplete inconsistent incorrect increase increasing index
indexed indexer indexers indexing indicator indices indptr inequality inf infeasible infer inferred infinite
infinity info information infs inherit inheritance init initial initialization initialize initialized initializer
initializing inner inplace input inputs insert inside install installation installed installing instance instances
instantiated instead int integer integers integral integration intended intercept interface internal internals
interpolate interpolation interpret interpreted interpreter interval intervaldtype into ints invalid inverse
inverted io ip is isn iso issue issues it item items iter iterable iterables iteration iterations iterator its
itself jac jacobian joblib jobs join keep kernel key keys keyword keywords kind knots know known kwarg kwargs label
labels lambda lapack large larger last layout lazy lb lbnd lead leading leak learn learning least leave left legacy
len length lengths less level levels libraries library lie lightgbm like likely likes limit limited limits linalg
line linear linearoperator lines link list lists literal load loaded loader loading loc local localize location lock
log logical long longer look loop loss low lower machine magic main major make manager mandatory manually many map
mapping marked marker mask masked match matching matlab matplotlib matrices matrix max maximum maxiter may mean
means median memory merge message meta metadata method methods metric metrics might migration min minimization
minimum minor mismatch mismatched missing mix mixed mmap mode model models modes modified modify module modules
moment monotonic monotonically more most move ms msg multi multiclass multidimensional multiindex multilabel
multiple multiply multiprocessing must mutually na naive name named names namespace namespaces nan nans nat native
ndarray ndim nearest necessary need needed needs negative neighbors neither nested never new newer newline newton
next no node nodes non none nonnegative nonzero nor norm normal normalized not note nothing now np ns null num numba
number numbers numeric numerical numerically numexpr numpy obj object objective objects observations observed
obtained occur occurred occurs odd of off offset offsets old older omitted on once one ones only op open opened
opening operand operands operating operation operations operator ops opt optimal optimization optimize optimizer
option optional options or order ordered ordering orders org orient original os other otherwise out outer output
outputs outside over overflow overhead overlap overlapping overridden override overwrite package pad pair pairs
pandas parallel param parameter parameters params parse parsed parser parsing part partial partition pass passed
passing passthrough path pathlike paths pattern pd penalty per percentiles perform performance performancewarning
performed performing perhaps period perioddtype periodic periodindex periods permitted permutation permutationmethod
phase pickle pickled pip pipeline place platform please plot plots plotting point pointer points polars policy
polynomial pool pos position positional positions positive possible possibly power pre precision precomputed pred
predict prediction predictions prefer prefix present preserve previous previously prior proba probabilities
probability probably problem problems proceed process processes produce produced product proper properly property
protocol provide provided providing public py pyarrow python qid quantile query radius raise raised random
randomstate range rank ranking rate rather ratio ravel raw rb re reached read reader reading real received recent
recognized recommended record records recursion reduce reduced reduction redundant refer reference references refit
refusing regex region register registered regression regressor regressors regular relative release removal remove
removed renamed repeated replace replaced replacement report repr represent representation requested require
required requirement requires reserved reset reshape resolution resolutions resolve resource resources respect
response restart result resulted resulting results retain return returned returning returns right rng rotation round
rounds routing row rows rtol rule run running runtimewarning rvs safe same sample samples sampling satisfy save
saved scalar scalars scale scaling schedule schema scheme scikit scipy scl score scores scoring search searchsorted
second section see seed seek seems seen select selected selection selector self sem semaphore sep separate separator
sequence sequences serialize series server session set setitem sets setting settingwithcopywarning setup shape
shapes shared sheet shift short should shuffle shutdown side sided signal signature silence simultaneously since
singular size sizes skb skip skipna skipping sklearn skrub slated slice slices slicing slots small smaller so socket
solution solve solver some something sort sorted source space sparse sparsity spec special specific specification
specified specifier specifies specify specifying spectral spline splines split splits splitter square squared
squares stable stack standard start started starting state statistic stats status std stdin step steps still stop
stopping storage store stored str strategy stream strictly string strings structure style sub subclass subclasses
subsample subsampling subscriptable subset subtype successful successfully such suffix suitable sum supplied supply
support supported supports suppress sure svd swapping sym symmetric sys system systems table tables tag tags take
takes target targets task temporary term terminated terms test tests text th than that the their them then there
therefore these theta they third this those thread threading threads three threshold through ties time timedelta
timeout times timestamp timestamps timezone tls to together token tol tolerance too top total traceback tracker
train trained training trainset transform transformation transformed transformer transformers transpose treated tree
trees trigger true truncated trust try trying tuple tuples twice two type types tz ub ufunc uint un unable
unavailable unchanged undefined under underlying understood unexpected unexpectedly unicode uniform union unique
unit unknown unless unpickle unrecognized unspecified unsupported until up update upper us usage use usecols used
userwarning uses using utc utf utils val valid validate validation value valued valueerror values var variable
variables variance vector vectorized vectors verbose verify version versions very via vs want warm warn warning
warnings was way wb we weight weights well were when whence where which while whitespace whose width will window
windows wise with within without work worker workers works would wrap write writing written wrong xgboost xi xp yet
you zero zeros zone
"""
_CHECKS = """
administering alone among answer answers anywhere asked asking assigned attempt attempts becoming begin belongs beside
besides beyond bundle cancelled comments cut declares deeply depend differs else ended ending ends entering environ
equals executed execution fits folders forbids getenv hash holds host imported imports isolates keeps kernels kill
killed leaves limits locks logs mounts network notebook others own packages packets parses permission pipe pools
predicted processors programs put raises raising reaches reaching reads refuse refused remember request requests
requirements rights rules runs runtime sandbox says scored seconds semaphores shuffled signals sockets solutions spawn
starts strips subprocess syntax terminal typing untrusted whether writes
gufunc impute imputer matmul natively reindex supervised unseen
"""
"""Of our own checks of code and predictions, and some that real messages were seen to lack."""
_CLASSES = """
ArrowCapacityError ArrowInvalid ArrowIOError ArrowKeyError ArrowNotImplementedError ArrowTypeError CatBoostError ConvergenceWarning
DataConversionWarning DataError DatabaseError DateParseError DtypeWarning EmptyDataError IndexingError IntCastingNaNError
InvalidIndexError InvalidParameterError JSONDecodeError LightGBMError LinAlgError LossySetitemError MergeError NotFittedError
OptionError OutOfBoundsDatetime OutOfBoundsTimedelta OutOfMemoryError ParserError PerformanceWarning PicklingError
SettingWithCopyWarning SpecificationError UndefinedMetricWarning UnpicklingError UnsupportedFunctionCall
UnsupportedOperation AxisError UFuncTypeError _UFuncNoLoopError _ArrayMemoryError XGBoostError
"""
_NAMES = """
ArrowDtype BooleanDtype Categorical CategoricalDtype CategoricalIndex DataFrame DatetimeIndex Float64 Index Int64 MultiIndex NaN NaT
NoneType RangeIndex Series StringDtype Timedelta Timestamp bool bool_ bytes complex complex128 datetime64 dict float float16 float32
float64 frozenset function generator int int16 int32 int64 int8 list method module ndarray object range set str str_ timedelta64
tuple uint16 uint32 uint64 uint8
absolute_error balanced_subsample elasticnet friedman_mse infrequent_if_exist l1 l2 lbfgs liblinear log2 log_loss newton_cholesky
saga sqrt squared_error use_encoded_value
"""
"""Types and options, which messages quote."""

LIBRARY_NAMES = frozenset(_NAMES.split())
MESSAGE_WORDS = frozenset(f"{_WORDS} {_CHECKS}".split())

EXCEPTIONS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
) | frozenset(_CLASSES.split())
