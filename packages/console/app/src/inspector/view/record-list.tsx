import type { RecordLine } from '../explain/describe-record.js';
import type { TrafficRecord } from '../observe/traffic.js';
import { formatBytes, formatTime, shortenKeys } from './format.js';
import { VerdictBadge } from './verdict-badge.js';

export interface ListedRecord {
  readonly record: TrafficRecord;
  readonly line: RecordLine;
}

export interface RecordListProps {
  /** The newest first. */
  readonly lines: readonly ListedRecord[];
  readonly chosenId: number | undefined;
  readonly onChoose: (id: number) => void;
}

const ARROWS = { sent: '→', received: '←', both: '⇄' } as const;
const DIRECTIONS = { sent: 'Sent', received: 'Received', both: 'Sent and answered' } as const;

/** The records, each in two lines. */
export function RecordList({ lines, chosenId, onChoose }: RecordListProps) {
  return (
    <ol class="records">
      {lines.map(({ record, line }) => (
        <li key={record.id}>
          <button
            type="button"
            class="record"
            aria-current={record.id === chosenId ? 'true' : undefined}
            data-category={line.category}
            onClick={() => onChoose(record.id)}
          >
            <span class="record-arrow" data-direction={line.direction} aria-hidden="true">
              {ARROWS[line.direction]}
            </span>
            <span class="visually-hidden">{DIRECTIONS[line.direction]}: </span>
            <span class="record-subject" title={line.subject}>
              {shortenKeys(line.subject)}
            </span>
            <VerdictBadge verdict={line.verdict} />
            <span class="record-meta">
              {[line.way, line.outcome, line.bytes > 0 && formatBytes(line.bytes), formatTime(record.at)]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
