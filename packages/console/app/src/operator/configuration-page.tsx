import { useCallback, useState } from 'preact/hooks';
import { Badge } from '../ui/badge.js';
import { TextField } from '../ui/field.js';
import { Table } from '../ui/table.js';
import type { Setting } from './operator-api.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

/** All variables of the instance that answers, without secrets. */
export function ConfigurationPage({ api }: OperatorPageProps) {
  const read = useCallback(() => api.readConfig(), [api]);
  const { value: config, problem, refresh } = usePolled(read);
  const [filter, setFilter] = useState('');
  const [isGivenOnly, setIsGivenOnly] = useState(false);
  const wanted = filter.trim().toUpperCase();
  const rows = config?.settings.filter(({ name, isGiven }) => name.includes(wanted) && (isGiven || !isGivenOnly));
  return (
    <section class="card stack" aria-labelledby="configuration">
      <div class="card-head">
        <h2 id="configuration">Configuration</h2>
        {config && <Badge>version {config.version}</Badge>}
      </div>
      <p class="quiet">
        Of the instance that answered last. Secrets are never shown, only whether they are set. Variables are changed in
        the environment, before a start.
      </p>
      <ProblemNotice problem={problem} onRetry={refresh} />
      <div class="filters">
        <TextField label="Find a variable" value={filter} onInput={setFilter} placeholder="RATE_" />
        <label class="choice">
          <input
            type="checkbox"
            checked={isGivenOnly}
            onChange={(event) => setIsGivenOnly(event.currentTarget.checked)}
          />
          Only what the environment sets
        </label>
      </div>
      {rows?.length === 0 && <p class="quiet">No variable matches.</p>}
      {rows !== undefined && rows.length > 0 && (
        <Table
          caption="Variables"
          rows={rows}
          rowKey={({ name }) => name}
          columns={[
            { label: 'Variable', cell: ({ name }) => <code>{name}</code> },
            { label: 'Value', cell: (setting) => <Value setting={setting} /> },
            {
              label: 'From',
              cell: ({ isGiven }) => (isGiven ? <Badge tone="accent">environment</Badge> : <Badge>default</Badge>),
            },
          ]}
        />
      )}
    </section>
  );
}

function Value({ setting: { value } }: { readonly setting: Setting }) {
  return value === null ? <span class="quiet">not set</span> : <code class="wrap">{value}</code>;
}
