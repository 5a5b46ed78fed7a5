import { countByteListCharacters, formatByteList } from '../src/byte-list.js';

test.each([[[]], [[0]], [[255]], [[9, 10, 99, 100, 0]], [Array.from({ length: 256 }, (_, byte) => byte)]])(
  'writes bytes as JSON does: case %#',
  (bytes) => {
    const text = formatByteList(Uint8Array.from(bytes));
    expect(`[${text}]`).toBe(JSON.stringify(bytes));
    expect(countByteListCharacters(Uint8Array.from(bytes))).toBe(text.length);
  },
);
