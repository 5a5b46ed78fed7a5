import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../ui/button.js';
import { describeRecord } from '../explain/describe-record.js';
import { explainRecord } from '../explain/explain-exchange.js';
import type { Explanation } from '../explain/steps.js';
import type { TrafficRecord } from '../observe/traffic.js';
import { pageInspector } from '../page-inspector.js';
import { BytesTab } from './bytes-tab.js';
import { shortenKeys } from './format.js';
import { RawTab } from './raw-tab.js';
import { StepsTab } from './steps-tab.js';
import { type TabOption, Tabs } from './tabs.js';
import { VerdictBadge } from './verdict-badge.js';

const TABS: readonly TabOption<'bytes' | 'raw' | 'steps'>[] = [
  { value: 'steps', label: 'Steps' },
  { value: 'raw', label: 'Raw' },
  { value: 'bytes', label: 'Bytes' },
];

export interface RecordDetailProps {
  readonly record: TrafficRecord;
  /** Changes when the explanation has to be made again. */
  readonly revision: string;
  readonly onClose: () => void;
}

/** All about one record. */
export function RecordDetail({ record, revision, onClose }: RecordDetailProps) {
  const [explanation, setExplanation] = useState<Explanation>();
  const [hasFailed, setHasFailed] = useState(false);
  const [tab, setTab] = useState<'bytes' | 'raw' | 'steps'>('steps');
  const heading = useRef<HTMLHeadingElement>(null);
  const line = describeRecord(record, pageInspector.calls);

  useEffect(() => heading.current?.focus(), []);
  // A record changes in place; its revision says when.
  useEffect(() => {
    let isShown = true;
    explainRecord(record, pageInspector).then(
      (made) => isShown && setExplanation(made),
      () => isShown && setHasFailed(true),
    );
    return () => {
      isShown = false;
    };
  }, [record, revision]);

  return (
    <div class="record-detail">
      <div class="detail-head">
        <Button size="small" kind="quiet" onClick={onClose} label="Back to the list">
          ‹ Back
        </Button>
        <h2 tabIndex={-1} ref={heading}>
          {shortenKeys(line.subject)}
        </h2>
        <VerdictBadge verdict={line.verdict} />
      </div>
      {explanation !== undefined && <p class="quiet">{explanation.summary}</p>}
      <Tabs label="Details" value={tab} options={TABS} onChange={setTab}>
        {hasFailed && <p role="alert">The inspector cannot explain this record. The tab “Raw” shows it as it is.</p>}
        {tab === 'raw' && <RawTab record={record} />}
        {tab === 'steps' && explanation !== undefined && <StepsTab explanation={explanation} />}
        {tab === 'bytes' && explanation !== undefined && <BytesTab explanation={explanation} />}
      </Tabs>
    </div>
  );
}
