import { useCallback, useState } from 'preact/hooks';
import { explainError } from '../api/explain-error.js';
import { Button } from '../ui/button.js';
import { EmptyState } from '../ui/empty-state.js';
import { formatFullTime, formatNumber } from '../ui/format.js';
import { Segmented } from '../ui/segmented.js';
import { type Column, Table } from '../ui/table.js';
import { showToast } from '../ui/toast.js';
import type { Job, JobState } from './operator-api.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

const STATES: readonly { readonly value: JobState; readonly label: string }[] = [
  { value: 'failed', label: 'Failed' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'delayed', label: 'Delayed' },
  { value: 'active', label: 'Active' },
  { value: 'completed', label: 'Completed' },
];

/** Jobs of the overlay, and failed ones to be tried again. */
export function JobsPage({ api }: OperatorPageProps) {
  const [state, setState] = useState<JobState>('failed');
  const read = useCallback(() => api.listJobs(state), [api, state]);
  const { value: jobs, problem, refresh } = usePolled(read);
  const retry = async (job: Job) => {
    try {
      await api.retryJob(job.id);
      showToast(`The job ${job.name} runs again.`);
    } catch (error) {
      const { title, advice } = explainError(error);
      showToast(`The job was not retried. ${title} ${advice}`, 'danger');
    }
    await refresh();
  };
  const columns: Column<Job>[] = [
    { label: 'Job', cell: (job) => <JobName job={job} /> },
    { label: 'Attempts', align: 'end', cell: ({ attempts }) => formatNumber(attempts) },
    { label: 'Added', align: 'end', cell: ({ addedAt }) => formatFullTime(Date.parse(addedAt)) },
    {
      label: 'Ended',
      align: 'end',
      cell: ({ finishedAt }) => (finishedAt === undefined ? '–' : formatFullTime(Date.parse(finishedAt))),
    },
  ];
  if (state === 'failed') {
    columns.push({
      label: 'Again',
      align: 'end',
      cell: (job) => (
        <Button size="small" label={`Retry the job ${job.name}`} onClick={() => retry(job)}>
          Retry
        </Button>
      ),
    });
  }
  return (
    <section class="card stack" aria-label="Jobs">
      <div class="card-head">
        <h2>Jobs of the overlay</h2>
        <Segmented label="State" value={state} options={STATES} onChange={setState} />
      </div>
      <ProblemNotice problem={problem} onRetry={refresh} />
      {jobs === undefined && problem === undefined && <p class="quiet">Asking the server …</p>}
      {jobs?.length === 0 && (
        <EmptyState title={state === 'failed' ? 'No job has failed' : 'No jobs'}>
          <p>Jobs keep this host advertised, and ask other hosts for their advertisements.</p>
        </EmptyState>
      )}
      {jobs !== undefined && jobs.length > 0 && (
        <Table caption={`Jobs: ${state}`} rows={jobs} rowKey={({ id }) => id} columns={columns} />
      )}
    </section>
  );
}

function JobName({ job: { id, name, reason } }: { readonly job: Job }) {
  return (
    <span class="two-lines">
      <strong>{name}</strong>
      <code class="quiet wrap">{id}</code>
      {reason !== undefined && <span class="small">{reason}</span>}
    </span>
  );
}
