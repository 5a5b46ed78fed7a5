import { useMemo, useState } from 'preact/hooks';
import { Button } from '../../ui/button.js';
import { EmptyState } from '../../ui/empty-state.js';
import { TextField } from '../../ui/field.js';
import { Segmented } from '../../ui/segmented.js';
import { type Category, describeRecord, type RecordLine } from '../explain/describe-record.js';
import type { TrafficRecord } from '../observe/traffic.js';
import { clearRecords, pageInspector, setPaused } from '../page-inspector.js';
import './inspector.css';
import { RecordDetail } from './record-detail.js';
import { RecordList } from './record-list.js';
import { useRecords } from './use-records.js';

const FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'http', label: 'HTTP' },
  { value: 'live', label: 'Live' },
  { value: 'handshake', label: 'Handshake' },
] as const;
type Filter = (typeof FILTERS)[number]['value'];

/** The page that shows what went over the wire, and explains it. */
export default function InspectorView() {
  const records = useRecords();
  const [filter, setFilter] = useState<Filter>('all');
  const [search, setSearch] = useState('');
  const [showsTransport, setShowsTransport] = useState(false);
  const [chosenId, setChosenId] = useState<number>();

  const lines = useMemo(
    () => records.map((record) => ({ record, line: describeRecord(record, pageInspector.calls) })),
    [records],
  );
  const shown = lines.filter(({ line }) => isShown(line, filter, showsTransport, search));
  const chosen = records.find(({ id }) => id === chosenId);
  const { dropped, isPaused } = pageInspector.traffic;

  return (
    <div class="inspector" data-detail={chosen !== undefined}>
      <div class="view-head inspector-head">
        <div>
          <h1>Inspector</h1>
          <p class="quiet">What this page sent and received, byte by byte, and why each side could trust it.</p>
        </div>
        <div class="row">
          <Button size="small" onClick={() => setPaused(!isPaused)}>
            {isPaused ? 'Resume' : 'Pause'}
          </Button>
          <Button
            size="small"
            onClick={() => {
              clearRecords();
              setChosenId(undefined);
            }}
          >
            Clear
          </Button>
        </div>
      </div>
      <section class="inspector-list card" aria-label="Traffic">
        <h2 class="visually-hidden">Traffic</h2>
        <div class="inspector-filters">
          <Segmented label="Kind of traffic" value={filter} options={FILTERS} onChange={setFilter} />
          <TextField label="Search by path or event" value={search} onInput={setSearch} placeholder="sendMessage" />
          <label class="choice small">
            <input
              type="checkbox"
              checked={showsTransport}
              onChange={(event) => setShowsTransport(event.currentTarget.checked)}
            />
            Show packets of the transport, such as pings
          </label>
        </div>
        {isPaused && <p class="inspector-hint small">Paused: new traffic is not recorded.</p>}
        {shown.length === 0 ? (
          <Nothing hasRecords={records.length > 0} />
        ) : (
          <RecordList lines={shown} chosenId={chosenId} onChoose={setChosenId} />
        )}
        {dropped > 0 && (
          <p class="inspector-hint small quiet">
            {dropped} older {dropped === 1 ? 'record was' : 'records were'} dropped to save memory.
          </p>
        )}
      </section>
      <section class="inspector-detail card" aria-label="Details">
        {chosen === undefined ? (
          <>
            <h2 class="visually-hidden">Details</h2>
            <EmptyState title="Nothing chosen">
              <p>Choose a request or an event to see who signed what, and with which key.</p>
            </EmptyState>
          </>
        ) : (
          <RecordDetail
            key={chosen.id}
            record={chosen}
            revision={revisionOf(chosen)}
            onClose={() => setChosenId(undefined)}
          />
        )}
      </section>
    </div>
  );
}

function Nothing({ hasRecords }: { readonly hasRecords: boolean }) {
  return hasRecords ? (
    <EmptyState title="Nothing matches">
      <p>Other traffic was recorded. Choose “All”, or search for something else.</p>
    </EmptyState>
  ) : (
    <EmptyState title="No traffic yet">
      <p>Send or list messages: each request and event of this tab appears here.</p>
    </EmptyState>
  );
}

function isShown(line: RecordLine, filter: Filter, showsTransport: boolean, search: string): boolean {
  const category: Category = line.category;
  if (category === 'transport' && !(showsTransport && filter !== 'http' && filter !== 'handshake')) return false;
  if (filter !== 'all' && category !== filter && category !== 'transport') return false;
  return line.subject.toLowerCase().includes(search.trim().toLowerCase());
}

/** Changes when an explanation of the record can change: its answer came, or a wallet's verdict. */
function revisionOf(record: TrafficRecord): string {
  const { outcome, bytes, verdict } = describeRecord(record, pageInspector.calls);
  return `${outcome} ${bytes} ${verdict}`;
}
