import { useCallback, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import { Button } from '../ui/button.js';
import { TextField } from '../ui/field.js';
import { formatFullTime, formatNumber } from '../ui/format.js';
import { Table } from '../ui/table.js';
import { showToast } from '../ui/toast.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

const MAX_FEE = 2_147_483_647;

/** What the server charges for a delivery, by the name of the box. */
export function FeesPage({ api }: OperatorPageProps) {
  const read = useCallback(() => api.listFees(), [api]);
  const { value: fees, problem, refresh } = usePolled(read);
  const [messageBox, setMessageBox] = useState('');
  const [fee, setFee] = useState('');
  const [wasTried, setWasTried] = useState(false);
  const [isSaving, setIsSaving] = useState(false);
  const [refusal, setRefusal] = useState<Explanation>();
  const boxProblem = messageBox.trim() === '' ? 'Give the name of a box.' : undefined;
  const feeProblem = /^\d{1,10}$/.test(fee) && Number(fee) <= MAX_FEE ? undefined : 'Give a whole number of satoshis.';
  const save = async () => {
    setWasTried(true);
    if (boxProblem !== undefined || feeProblem !== undefined) return;
    setIsSaving(true);
    setRefusal(undefined);
    try {
      await api.setFee(messageBox, Number(fee));
      await refresh();
      showToast(`A delivery into “${messageBox}” costs ${formatNumber(Number(fee))} satoshis.`);
      setWasTried(false);
      setMessageBox('');
      setFee('');
    } catch (error) {
      setRefusal(explainError(error));
    } finally {
      setIsSaving(false);
    }
  };
  return (
    <div class="split">
      <section class="card stack" aria-labelledby="set-fee">
        <h2 id="set-fee">Set a fee</h2>
        <form
          class="stack"
          aria-label="Set a fee"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <TextField
            label="Box"
            help="The fee holds for the boxes of this name of all identities."
            error={wasTried ? boxProblem : undefined}
            value={messageBox}
            onInput={setMessageBox}
            maxLength={255}
          />
          <TextField
            label="Satoshis for each delivery"
            error={wasTried ? feeProblem : undefined}
            value={fee}
            onInput={setFee}
            inputMode="numeric"
            maxLength={10}
          />
          <ProblemNotice problem={refusal} onRetry={save} />
          <div>
            <Button type="submit" kind="primary" disabled={isSaving}>
              Save
            </Button>
          </div>
        </form>
        <p class="quiet small">All instances charge a new fee within 10 seconds.</p>
      </section>
      <section class="card stack" aria-labelledby="fees">
        <h2 id="fees">Delivery fees</h2>
        <ProblemNotice problem={problem} onRetry={refresh} />
        {fees && (
          <Table
            caption="Delivery fees by box"
            rows={fees}
            rowKey={(row) => row.messageBox}
            columns={[
              { label: 'Box', cell: (row) => <span class="box-name">{row.messageBox}</span> },
              { label: 'Satoshis', align: 'end', cell: (row) => formatNumber(row.deliveryFee) },
              { label: 'Since', align: 'end', cell: (row) => formatFullTime(Date.parse(row.updatedAt)) },
              {
                label: 'Change',
                align: 'end',
                cell: (row) => (
                  <Button
                    size="small"
                    label={`Change the fee of ${row.messageBox}`}
                    onClick={() => {
                      setMessageBox(row.messageBox);
                      setFee(String(row.deliveryFee));
                    }}
                  >
                    Change
                  </Button>
                ),
              },
            ]}
          />
        )}
        <p class="quiet small">Boxes with other names are free.</p>
      </section>
    </div>
  );
}
