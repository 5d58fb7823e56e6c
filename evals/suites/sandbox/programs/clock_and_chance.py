"""Time zones, dates, random numbers, unique names."""

import datetime
import secrets
import uuid
import zoneinfo
from attack import *

assert datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Shanghai")).tzinfo
assert secrets.token_hex(8) != secrets.token_hex(8) and uuid.uuid4() and uuid.uuid1()
done()
