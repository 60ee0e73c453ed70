/* The weights as float32, from base64 of float32 or float16, little-endian. */
function decoded(base64, dtype) {
  const bytes = decodedBytes(base64);
  if (dtype === "float32") return new Float32Array(bytes.buffer);
  const table = Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16(bits));
  return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => table[bits]);
}

function decodedBytes(base64) {
  const binary = atob(base64), bytes = new Uint8Array(binary.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = binary.charCodeAt(n);
  return bytes;
}

/* Sign, 5 bits of exponent and 10 of fraction (IEEE 754 binary16), of finite numbers. */
function fromFloat16(bits) {
  const exponent = bits >> 10 & 31, fraction = (bits & 1023) / 1024;
  const size = exponent ? (1 + fraction) * POWERS[exponent - 15 + 1023] : fraction * POWERS[-14 + 1023];
  return bits >> 15 ? -size : size;
}
