/** A ZIP file without compression, which photos have already (APPNOTE 6.3.10). */

const POLYNOMIAL = 0xedb88320;
const UTF8_NAMES = 0x0800;
const VERSION = 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? POLYNOMIAL ^ (value >>> 1) : value >>> 1;
  return value;
});

export class Archive {
  #parts = [];
  #directory = [];
  #names = new Set();

  /** Bytes so far. */
  size = 0;

  /** Put a file in; a name that is there already gets a number. */
  async add(name, blob) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const path = new TextEncoder().encode(this.#free(name.replaceAll(/[\u0000-\u001f<>:"/\\|?*]/g, "_")));
    const about = [[2, VERSION], [2, UTF8_NAMES], [2, 0], [2, 0], [2, 0x21], [4, crc(bytes)], [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0]];
    this.#directory.push(packed([[4, 0x02014b50], [2, VERSION], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, this.size]]), path);
    this.#put(packed([[4, 0x04034b50], ...about]), path, bytes);
  }

  /** The whole file. */
  blob() {
    const listed = this.#directory.reduce((sum, part) => sum + part.length, 0);
    const files = this.#directory.length / 2;
    const end = packed([[4, 0x06054b50], [2, 0], [2, 0], [2, files], [2, files], [4, listed], [4, this.size], [2, 0]]);
    return new Blob([...this.#parts, ...this.#directory, end], { type: "application/zip" });
  }

  #put(...parts) {
    this.#parts.push(...parts);
    this.size += parts.reduce((sum, part) => sum + part.length, 0);
  }

  #free(name) {
    const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let free = name;
    for (let number = 2; this.#names.has(free.toLowerCase()); number += 1) free = `${stem} (${number})${ending ?? ""}`;
    this.#names.add(free.toLowerCase());
    return free;
  }
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Numbers of 2 or 4 bytes, the lowest first. */
function packed(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let place = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    place += bytes;
  }
  return new Uint8Array(view.buffer);
}
