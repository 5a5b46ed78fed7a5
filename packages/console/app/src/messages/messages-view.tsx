import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { measureClock } from '../api/server-clock.js';
import { type CurrentIdentity, useCurrentIdentity } from '../identity/current-identity.js';
import { Button } from '../ui/button.js';
import { BoxPicker } from './box-picker.js';
import { ClockNotice } from './connection-notice.js';
import { MailboxPane } from './mailbox-pane.js';
import { keepSideBySide, openSecondIdentity, wasSideBySide } from './second-identity.js';

const FIRST_BOX = 'inbox';

/** The page where messages are written and read, by one identity or by two side by side. */
export default function MessagesView() {
  const first = useCurrentIdentity();
  const [isSideBySide, setIsSideBySide] = useState(wasSideBySide);
  const [second, setSecond] = useState<CurrentIdentity>();
  const [messageBox, setMessageBox] = useState(FIRST_BOX);
  const fromFirst = useSignal('');
  const fromSecond = useSignal('');
  useEffect(() => void measureClock(), []);
  useEffect(() => {
    keepSideBySide(isSideBySide);
    setSecond(undefined);
    if (!isSideBySide || first === undefined) return;
    let isWanted = true;
    void openSecondIdentity(first).then((identity) => {
      if (!isWanted) return;
      setSecond(identity);
      // They are here to write to each other.
      fromFirst.value = identity.identityKey;
      fromSecond.value = first.identityKey;
    });
    return () => {
      isWanted = false;
    };
  }, [isSideBySide, first, fromFirst, fromSecond]);
  return (
    <div class="stack">
      <div class="view-head">
        <div>
          <h1>Messages</h1>
          <p class="quiet">Write to an identity key. Messages wait until they are read.</p>
        </div>
        <div class="row head-field">
          <BoxPicker value={messageBox} onChange={setMessageBox} />
          <Button onClick={() => setIsSideBySide(!isSideBySide)}>
            {isSideBySide ? 'One identity' : 'Two side by side'}
          </Button>
          <a class="button" href="./#/messages/as/new" target="_blank" rel="noopener">
            Open a second tab
          </a>
        </div>
      </div>
      <ClockNotice />
      {first === undefined ? (
        <p class="view-wait">Making your key …</p>
      ) : (
        <div class="panes" data-count={second === undefined ? 1 : 2}>
          <MailboxPane key={first.identityKey} identity={first} messageBox={messageBox} recipient={fromFirst} />
          {second && (
            <MailboxPane key={second.identityKey} identity={second} messageBox={messageBox} recipient={fromSecond} />
          )}
        </div>
      )}
    </div>
  );
}
