import { useEffect, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import { type CurrentIdentity, useCurrentIdentity } from '../identity/current-identity.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { canBePushedTo, isRegistered, NotAllowedError, notifyBrowser, stopNotifying } from './browser-push.js';
import { readServerPush, type ServerPush } from './server-push.js';

/** Offers notifications of this browser (Web Push). Shows nothing where server or browser have none. */
export function NotifyCard() {
  const identity = useCurrentIdentity();
  const [push, setPush] = useState<ServerPush>();
  useEffect(() => {
    if (canBePushedTo()) void readServerPush().then(setPush);
  }, []);
  if (push === undefined || identity === undefined) return null;
  // Each identity has a registration of its own.
  return <IdentityNotifications key={identity.identityKey} identity={identity} push={push} />;
}

function IdentityNotifications({ identity, push }: { readonly identity: CurrentIdentity; readonly push: ServerPush }) {
  const [state, setState] = useState<'unknown' | 'off' | 'on' | 'working'>('unknown');
  const [problem, setProblem] = useState<Explanation>();
  useEffect(() => {
    isRegistered(identity).then(
      (is) => setState(is ? 'on' : 'off'),
      () => setState('off'),
    );
  }, [identity]);
  const change = async (work: () => Promise<void>, done: 'on' | 'off') => {
    const before = state;
    setState('working');
    setProblem(undefined);
    try {
      await work();
      setState(done);
    } catch (error) {
      setState(before);
      setProblem(explain(error));
    }
  };
  return (
    <section class="card stack" aria-labelledby="notify">
      <h2 id="notify">Notifications</h2>
      <p class="quiet">
        This browser can tell you when a message arrives in {formatBoxes(push.boxes)}, also while the console is closed.
        The browser’s push service carries an encrypted note with the message’s id, box and sender, and never the
        message.
      </p>
      {state === 'on' && <p>This browser is notified of messages for this identity.</p>}
      <div>
        {state === 'on' ? (
          <Button onClick={() => change(() => stopNotifying(identity), 'off')}>Stop notifying this browser</Button>
        ) : (
          <Button
            onClick={() => change(() => notifyBrowser(identity, push.vapidPublicKey), 'on')}
            disabled={state !== 'off'}
          >
            Notify this browser
          </Button>
        )}
      </div>
      {problem && (
        <Notice tone="warning" title={problem.title}>
          <p>{problem.advice}</p>
        </Notice>
      )}
    </section>
  );
}

function explain(error: unknown): Explanation {
  if (!(error instanceof NotAllowedError)) return explainError(error);
  return {
    title: 'This browser does not allow notifications here.',
    advice: 'Allow them in the settings of the browser for this page, and try again.',
  };
}

function formatBoxes(boxes: readonly string[]): string {
  return boxes.length === 0 ? 'a box that the server announces' : boxes.map((box) => `“${box}”`).join(', ');
}
