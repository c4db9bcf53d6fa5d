// Arrays out of an npz archive: a zip of stored .npy members, as numpy writes it.

export interface Array1 {
  shape: number[];
  values: Float32Array;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;

export function readNpz(buffer: ArrayBuffer): Map<string, Array1> {
  const view = new DataView(buffer);
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) throw new Error("the answer is not complete");
  const n = view.getUint16(end + 10, true);
  const arrays = new Map<string, Array1>();
  let at = Number(u32OrNull(view, end + 16) ?? zip64Begin(view, end));
  for (let i = 0; i < n && view.getUint32(at, true) === ENTRY; i++) {
    const [nameLength, extraLength, commentLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const name = new TextDecoder().decode(new Uint8Array(buffer, at + 46, nameLength));
    const sizes = [u32OrNull(view, at + 24), u32OrNull(view, at + 20), u32OrNull(view, at + 42)];
    let extra = at + 46 + nameLength;
    const extraEnd = extra + extraLength;
    while (extra < extraEnd) {
      let field = extra + 4;
      if (view.getUint16(extra, true) === 1) {
        for (let k = 0; k < 3; k++)
          if (sizes[k] === null) {
            sizes[k] = Number(view.getBigUint64(field, true));
            field += 8;
          }
      }
      extra += 4 + view.getUint16(extra + 2, true);
    }
    const local = sizes[2] ?? 0;
    const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    arrays.set(name.replace(/\.npy$/, ""), readNpy(buffer, data, sizes[0] ?? 0));
    at = extraEnd + commentLength;
  }
  return arrays;
}

function u32OrNull(view: DataView, at: number): number | null {
  const value = view.getUint32(at, true);
  return value === 0xffffffff ? null : value;
}

function zip64Begin(view: DataView, end: number): number {
  const record = Number(view.getBigUint64(end - 20 + 8, true));
  return Number(view.getBigUint64(record + 48, true));
}

function readNpy(buffer: ArrayBuffer, begin: number, size: number): Array1 {
  const view = new DataView(buffer, begin, size);
  const isFirst = view.getUint8(6) === 1;
  const headerLength = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const headerBegin = isFirst ? 10 : 12;
  const header = new TextDecoder().decode(new Uint8Array(buffer, begin + headerBegin, headerLength));
  const dtype = /'descr': '([^']+)'/.exec(header)?.[1] ?? "";
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").map((text) => text.trim()).filter(Boolean).map(Number);
  const data = headerBegin + headerLength;
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  if (dtype === "<f4") for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(data + 4 * i, true);
  else if (dtype === "<f8") for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(data + 8 * i, true);
  else throw new Error(`values of type ${dtype} are not shown`);
  return { shape, values };
}
