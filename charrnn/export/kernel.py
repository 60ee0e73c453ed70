"""The product of a matrix and a vector as WebAssembly, for `products.js`.

    out[r] += Σ_k M[r, k] · x[k]        M (rows, columns), row after row; float32

Vector instructions take four numbers at a time. A row has 16 sums side by side: column k goes into
sum k mod 16. The columns behind the last multiple of 16 go, four at a time, into the first four.
The sums are added pairwise, and the last columns one by one. `products.js` does the same in
JavaScript, with the same roundings. The instructions are those of the WebAssembly specification,
version 2.
"""

from collections.abc import Sequence
from itertools import count

I32, F32, V128 = 0x7F, 0x7D, 0x7B
PARAMETERS = ("M", "rows", "columns", "x", "out")
"""Addresses in bytes, and numbers of rows and columns."""
WORK = ("px", "end_16", "end_4", "end")
SUMS = ("s0", "s1", "s2", "s3")
LOCALS = dict(zip((*PARAMETERS, *WORK, "sum", *SUMS), count(), strict=False))
TYPE, IMPORT, FUNCTION, EXPORT, CODE = 1, 2, 3, 7, 10
"""The sections of a module."""


def kernel() -> bytes:
    """A module that imports `page.memory`, and exports the function `add_product`."""
    signature = bytes((0x60, len(PARAMETERS), *[I32] * len(PARAMETERS), 0))
    memory = (*_name("page"), *_name("memory"), 2, 0, 0)
    export = (*_name("add_product"), 0, 0)
    work = bytes((3, len(WORK), I32, 1, F32, len(SUMS), V128))
    body = work + _product() + END
    sections = (
        (TYPE, signature),
        (IMPORT, bytes(memory)),
        (FUNCTION, b"\0"),
        (EXPORT, bytes(export)),
        (CODE, _unsigned(len(body)) + body),
    )
    return b"\0asm\1\0\0\0" + b"".join(
        bytes((number,)) + _unsigned(1 + len(content)) + b"\1" + content
        for number, content in sections
    )


def _product() -> bytes:
    return _set("end", _get("x"), _get("columns"), _number(2), SHIFT, ADD) + _repeat(
        _set("px", _get("x")),
        _set("end_16", _get("x"), _get("columns"), _number(-16), AND, _number(2), SHIFT, ADD),
        _set("end_4", _get("x"), _get("columns"), _number(-4), AND, _number(2), SHIFT, ADD),
        *(_set(name, ZEROS) for name in SUMS),
        _while(
            (_get("px"), _get("end_16"), LESS),
            *(_add_four(name, 16 * n) for n, name in enumerate(SUMS)),
            *_step(64),
        ),
        _while((_get("px"), _get("end_4"), LESS), _add_four("s0", 0), *_step(16)),
        _set("s0", _get("s0"), _get("s1"), ADD_4, _get("s2"), _get("s3"), ADD_4, ADD_4),
        _set("sum", *(_lane(0), _lane(1), ADD_F), *(_lane(2), _lane(3), ADD_F), ADD_F),
        _while(
            (_get("px"), _get("end"), LESS),
            _set("sum", _get("sum"), _load("M"), _load("px"), MULTIPLY_F, ADD_F),
            *_step(4),
        ),
        _get("out") + _load("out") + _get("sum") + ADD_F + STORE,
        _set("out", _get("out"), _number(4), ADD),
        _tee("rows", _get("rows"), _number(-1), ADD),
    )


def _add_four(name: str, offset: int) -> bytes:
    """A vector of sums, and the products of four columns."""
    products = _load_4("M", offset) + _load_4("px", offset) + MULTIPLY_4
    return _set(name, _get(name), products, ADD_4)


def _step(size: int) -> Sequence[bytes]:
    """Advance by this number of bytes in the row and in x."""
    return [_set(name, _get(name), _number(size), ADD) for name in ("M", "px")]


# Instructions

END = b"\x0b"
ADD, AND, SHIFT, LESS = b"\x6a", b"\x71", b"\x74", b"\x49"  # of i32
ADD_F, MULTIPLY_F, STORE = b"\x92", b"\x94", b"\x38\x02\x00"
ADD_4, MULTIPLY_4 = b"\xfd\xe4\x01", b"\xfd\xe6\x01"
ZEROS = b"\xfd\x0c" + bytes(16)


def _get(name: str) -> bytes:
    return bytes((0x20, LOCALS[name]))


def _set(name: str, *value: bytes) -> bytes:
    return b"".join(value) + bytes((0x21, LOCALS[name]))


def _tee(name: str, *value: bytes) -> bytes:
    """Set a local variable, and leave its value on the stack."""
    return b"".join(value) + bytes((0x22, LOCALS[name]))


def _number(value: int) -> bytes:
    """A constant from −64 to 63, or 64."""
    return b"\x41" + (b"\xc0\x00" if value == 64 else bytes((value & 0x7F,)))


def _load(name: str) -> bytes:
    """The number at an address."""
    return _get(name) + b"\x2a\x02\x00"


def _load_4(name: str, offset: int) -> bytes:
    """Four numbers from an address on."""
    return _get(name) + bytes((0xFD, 0x00, 0x02, offset))


def _lane(number: int) -> bytes:
    return _get("s0") + bytes((0xFD, 0x1F, number))


def _repeat(*body: bytes) -> bytes:
    """As long as the body leaves a number other than 0 on the stack, but at least once."""
    return b"\x03\x40" + b"".join(body) + b"\x0d\x00" + END


def _while(condition: Sequence[bytes], *body: bytes) -> bytes:
    leave = b"".join(condition) + b"\x45\x0d\x01"  # out of the block, if it is 0
    loop = b"\x03\x40" + leave + b"".join(body) + b"\x0c\x00" + END
    return b"\x02\x40" + loop + END


def _name(name: str) -> bytes:
    return bytes((len(name),)) + name.encode("ascii")


def _unsigned(value: int) -> bytes:
    """LEB128."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value))
