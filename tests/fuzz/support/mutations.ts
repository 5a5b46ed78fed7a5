import fc from 'fast-check';

/** A change of bytes. `at` and `length` are taken modulo the number of bytes. */
type ByteChange =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'delete' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly at: number };

const position = fc.nat(1_000_000);
/** Numbers that parsers stumble over: limits of integers in 1, 2, 4 and 8 bytes, and of varints. */
const interesting = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 9 }),
  fc.constantFrom(
    Uint8Array.of(0),
    Uint8Array.of(0xff),
    Uint8Array.of(0xfd, 0xff, 0xff),
    Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff),
    new Uint8Array(9).fill(0xff),
    Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 0x80),
  ),
);
const byteChange: fc.Arbitrary<ByteChange> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('set' as const), at: position, bytes: interesting }),
  fc.record({ kind: fc.constant('insert' as const), at: position, bytes: interesting }),
  fc.record({
    kind: fc.constantFrom('delete' as const, 'repeat' as const),
    at: position,
    length: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), at: position }),
);

/** One of the samples after a few changes. */
export function mutatedBytes(samples: readonly Uint8Array[], maxChanges = 4): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(byteChange, { minLength: 1, maxLength: maxChanges }))
    .map(([sample, changes]) => changes.reduce(changeBytes, Buffer.from(sample)));
}

function changeBytes(bytes: Buffer, change: ByteChange): Buffer {
  const at = change.at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (change.kind === 'truncate') return Buffer.from(before);
  if (change.kind === 'flip')
    return Buffer.concat([before, after.map((byte, i) => (i === 0 ? byte ^ (1 << change.bit) : byte))]);
  if (change.kind === 'insert') return Buffer.concat([before, change.bytes, after]);
  if (change.kind === 'set') return Buffer.concat([before, change.bytes, after.subarray(change.bytes.length)]);
  if (change.kind === 'delete') return Buffer.concat([before, after.subarray(change.length)]);
  return Buffer.concat([before, after.subarray(0, change.length), after]);
}

/** Values that a field is not expected to have. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1,
    0.5,
    1e21,
    -0,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    4_294_967_296,
    '',
    ' ',
    '0',
    '-1',
    '1e3',
    'null',
    '__proto__',
    'constructor',
    'toString',
    '\u0000',
    '\u202e',
    '\ud800',
    '𝒳'.repeat(64),
    'é',
    'e\u0301',
    "'; --",
    '%00',
    '../..',
    'x'.repeat(300),
    [],
    {},
    [[]],
    [null],
    { toString: 1 },
    { length: 3 },
    { constructor: {} },
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

type JsonChange =
  | { readonly kind: 'replace' | 'insert'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'remove' | 'wrap' | 'double'; readonly at: number }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number };

const jsonChange: fc.Arbitrary<JsonChange> = fc.oneof(
  fc.record({ kind: fc.constantFrom('replace' as const, 'insert' as const), at: position, value: oddValues }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'wrap' as const, 'double' as const), at: position }),
  fc.record({ kind: fc.constant('copy' as const), at: position, from: position }),
);

/** One of the samples, which are JSON, after a few changes of fields. */
export function mutatedJson(samples: readonly unknown[], maxChanges = 3): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(jsonChange, { minLength: 1, maxLength: maxChanges }))
    .map(([sample, changes]) => changes.reduce(changeJson, structuredClone(sample)));
}

/** A place in a value: `holder[key]`. */
interface Place {
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
}

function changeJson(value: unknown, change: JsonChange): unknown {
  const root: Record<string, unknown> = { value };
  const places = listPlaces(root);
  const { holder, key } = places[change.at % places.length] as Place;
  const found = holder[key];
  if (change.kind === 'replace') holder[key] = change.value;
  else if (change.kind === 'insert') insertInto(found, change.value);
  else if (change.kind === 'remove') remove(holder, key);
  else if (change.kind === 'wrap') holder[key] = [found];
  else if (change.kind === 'double') holder[key] = typeof found === 'string' ? found + found : [found, found];
  else if (change.kind === 'copy') {
    const source = places[change.from % places.length] as Place;
    holder[key] = structuredClone(source.holder[source.key]);
  }
  return root['value'];
}

function listPlaces(holder: Record<string | number, unknown>): Place[] {
  return Object.keys(holder).flatMap((key): Place[] => {
    const value = holder[key];
    const inner = typeof value === 'object' && value !== null ? listPlaces(value as Record<string, unknown>) : [];
    return [{ holder, key }, ...inner];
  });
}

function insertInto(found: unknown, value: unknown): void {
  if (Array.isArray(found)) found.push(value);
  else if (typeof found === 'object' && found !== null) Object.assign(found, { extra: value });
}

function remove(holder: Record<string | number, unknown>, key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}
