"""Files whose headers promise more than any machine has: arrays, tables, archives, pictures. The host must look into none of them."""

import struct
from attack import *

header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1024), }".ljust(117) + b"\n"
(OUT / "predictions.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
(OUT / "objects.npy").write_bytes(
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 117)
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(116)
    + b"\n"
    + b"cos\nsystem\n(S'id'\ntR."
)
(OUT / "table.parquet").write_bytes(b"PAR1" + b"\xff" * 100 + struct.pack("<I", 0x7FFFFFFF) + b"PAR1")
(OUT / "picture.png").write_bytes(
    b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 0x7FFFFFFF, 0x7FFFFFFF, 16, 6, 0, 0, 0)
)
(OUT / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
done()
