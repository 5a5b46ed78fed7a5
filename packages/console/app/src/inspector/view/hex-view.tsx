import { useState } from 'preact/hooks';
import { Button } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy-button.js';
import { toHex } from '../wire/bytes.js';
import type { ByteRange, LabelledBytes } from '../wire/labelled-bytes.js';
import { formatBytes } from './format.js';

export interface HexViewProps {
  readonly content: LabelledBytes;
  readonly title: string;
}

const BYTES_PER_ROW = 16;
const ROWS_AT_FIRST = 32;
/** More rows would make the page slow. The copy button has all bytes. */
const MAX_ROWS = 1_024;

/** Bytes in hex and ASCII, with the name and meaning of each part. */
export function HexView({ content: { bytes, ranges, missingBytes }, title }: HexViewProps) {
  const [chosen, setChosen] = useState<ByteRange>();
  const [rows, setRows] = useState(ROWS_AT_FIRST);
  const total = Math.ceil(bytes.length / BYTES_PER_ROW);
  const shown = Math.min(rows, total);
  return (
    <div class="hex">
      <ul class="hex-legend" aria-label={`Parts of: ${title}`}>
        {ranges.map((range) => (
          <li key={range.start}>
            <button
              type="button"
              class="hex-part"
              data-kind={range.kind}
              aria-pressed={range === chosen}
              onClick={() => {
                setChosen(range === chosen ? undefined : range);
                setRows(Math.max(rows, Math.min(MAX_ROWS, Math.floor(range.start / BYTES_PER_ROW) + 4)));
              }}
            >
              <span class="hex-swatch" data-kind={range.kind} aria-hidden="true" />
              <span class="hex-label">{range.label}</span>
              <span class="hex-place">{describePlace(range)}</span>
              <span class="hex-meaning">{range.meaning}</span>
            </button>
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard. */}
      <section class="hex-dump" tabIndex={0} aria-label={`Bytes of: ${title}`}>
        {Array.from({ length: shown }, (_, row) => (
          <HexRow key={row} bytes={bytes} start={row * BYTES_PER_ROW} ranges={ranges} chosen={chosen} />
        ))}
      </section>
      <div class="row">
        <CopyButton text={toHex(bytes)} what="bytes in hex" />
        {shown < Math.min(total, MAX_ROWS) && (
          <Button size="small" kind="quiet" onClick={() => setRows(MAX_ROWS)}>
            Show more bytes
          </Button>
        )}
        {total > MAX_ROWS && shown === MAX_ROWS && (
          <span class="quiet small">The rest is not shown. The copy has all bytes.</span>
        )}
        {missingBytes > 0 && (
          <span class="quiet small">{formatBytes(missingBytes)} more were not kept, to save memory.</span>
        )}
      </div>
    </div>
  );
}

interface HexRowProps {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly ranges: readonly ByteRange[];
  readonly chosen: ByteRange | undefined;
}

function HexRow({ bytes, start, ranges, chosen }: HexRowProps) {
  const end = Math.min(start + BYTES_PER_ROW, bytes.length);
  const inRow = ranges.filter((range) => range.start < end && range.end > start);
  const parts = inRow.map((range) => ({
    range,
    bytes: bytes.subarray(Math.max(start, range.start), Math.min(end, range.end)),
  }));
  return (
    <div class="hex-row">
      <span class="hex-offset">{start.toString(16).padStart(4, '0')}</span>
      <span class="hex-bytes">
        {parts.map((part) => (
          <span
            key={part.range.start}
            data-kind={part.range.kind}
            data-chosen={part.range === chosen}
            title={part.range.label}
          >
            {Array.from(part.bytes, (byte) => `${byte.toString(16).padStart(2, '0')} `).join('')}
          </span>
        ))}
      </span>
      <span class="hex-ascii">
        {parts.map((part) => (
          <span key={part.range.start} data-kind={part.range.kind} data-chosen={part.range === chosen}>
            {Array.from(part.bytes, toCharacter).join('')}
          </span>
        ))}
      </span>
    </div>
  );
}

/** Printable ASCII as it is; a dot for the rest. */
const toCharacter = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·');

function describePlace({ start, end }: ByteRange): string {
  return end - start === 1 ? `byte ${start}` : `bytes ${start}–${end - 1}`;
}
