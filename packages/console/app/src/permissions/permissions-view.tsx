import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import { useCurrentIdentity } from '../identity/current-identity.js';
import { BoxPicker } from '../messages/box-picker.js';
import { Button } from '../ui/button.js';
import { EmptyState } from '../ui/empty-state.js';
import { Notice } from '../ui/notice.js';
import { showToast } from '../ui/toast.js';
import { listPermissions, type Permission, setPermission } from './permissions-api.js';
import { RuleForm } from './rule-form.js';
import { RuleList } from './rule-list.js';

/** The page about who may write to a box of this tab's identity, and for how much. */
export default function PermissionsView() {
  const identity = useCurrentIdentity();
  const [messageBox, setMessageBox] = useState('inbox');
  const [rules, setRules] = useState<readonly Permission[]>();
  const [problem, setProblem] = useState<Explanation>();
  const load = useCallback(async () => {
    if (identity === undefined) return;
    try {
      setRules(await listPermissions(identity, messageBox));
      setProblem(undefined);
    } catch (error) {
      setProblem(explainError(error));
    }
  }, [identity, messageBox]);
  useEffect(() => {
    setRules(undefined);
    void load();
  }, [load]);
  const save = async (sender: string | undefined, recipientFee: number): Promise<boolean> => {
    if (identity === undefined) return false;
    try {
      await setPermission(identity, { sender, messageBox, recipientFee });
      await load();
      return true;
    } catch (error) {
      const { title, advice } = explainError(error);
      showToast(`The rule was not saved. ${title} ${advice}`, 'danger');
      return false;
    }
  };
  return (
    <div class="stack">
      <div class="view-head">
        <div>
          <h1>Permissions</h1>
          <p class="quiet">Who may write to you, and for how much. The server refuses everything else.</p>
        </div>
        <div class="head-field">
          <BoxPicker value={messageBox} onChange={setMessageBox} />
        </div>
      </div>
      <div class="split">
        <section class="card stack" aria-labelledby="new-rule">
          <h2 id="new-rule">New rule</h2>
          {identity && <RuleForm ownKey={identity.identityKey} onSave={save} />}
        </section>
        <section class="card stack" aria-labelledby="rules">
          <h2 id="rules">
            Rules of “<bdi>{messageBox}</bdi>”
          </h2>
          {problem !== undefined && (
            <Notice tone="danger" title={problem.title}>
              <p>{problem.advice}</p>
              <Button size="small" onClick={load}>
                Try again
              </Button>
            </Notice>
          )}
          {rules !== undefined && rules.length > 0 && <RuleList rules={rules} onSet={save} />}
          {rules?.length === 0 && (
            <EmptyState title="No rules yet">
              <p>{describeDefault(messageBox)}</p>
            </EmptyState>
          )}
          {rules === undefined && problem === undefined && <p class="quiet">Asking the server …</p>}
        </section>
      </div>
    </div>
  );
}

/** What the server does without a rule. */
function describeDefault(messageBox: string): string {
  return messageBox === 'notifications'
    ? 'Everybody may write for 10 satoshis, which is the rule of every “notifications” box.'
    : 'Everybody may write to this box free of charge.';
}
