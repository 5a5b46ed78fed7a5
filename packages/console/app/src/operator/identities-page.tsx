import { useState } from 'preact/hooks';
import { findKeyProblem } from '../identity/identity-key.js';
import { route } from '../shell/route.js';
import { Button } from '../ui/button.js';
import { TextField } from '../ui/field.js';
import { IdentityReportCard } from './identity-report-card.js';
import type { OperatorPageProps } from './operator-page.js';

/** Finds an identity by its key, and shows what is kept of it. */
export function IdentitiesPage({ api }: OperatorPageProps) {
  const shown = route.value[2];
  const [text, setText] = useState(shown ?? '');
  const [wasTried, setWasTried] = useState(false);
  const key = text.trim().toLowerCase();
  const problem = findKeyProblem(key);
  const isValid = shown !== undefined && findKeyProblem(shown) === undefined;
  return (
    <div class="stack">
      <form
        class="card find-identity"
        aria-label="Find an identity"
        onSubmit={(event) => {
          event.preventDefault();
          setWasTried(true);
          if (problem === undefined) window.location.hash = `#/operator/identities/${key}`;
        }}
      >
        <TextField
          label="Identity key"
          help="Of a user of this server: 66 characters. The pages about boxes and senders lead here as well."
          error={wasTried ? problem : undefined}
          value={text}
          onInput={setText}
          mono
          maxLength={66}
        />
        <Button type="submit" kind="primary">
          Show
        </Button>
      </form>
      {isValid && <IdentityReportCard key={shown} api={api} identityKey={shown} />}
    </div>
  );
}
