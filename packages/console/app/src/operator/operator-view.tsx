import './operator.css';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.js';
import { type Explanation, explainError } from '../api/explain-error.js';
import { useCurrentIdentity } from '../identity/current-identity.js';
import { route } from '../shell/route.js';
import { AdvertisementsPage } from './advertisements-page.js';
import { AuditPage } from './audit-page.js';
import { ConfigurationPage } from './configuration-page.js';
import { FeesPage } from './fees-page.js';
import { IdentitiesPage } from './identities-page.js';
import { JobsPage } from './jobs-page.js';
import { LargestPage } from './largest-page.js';
import { NotAnOperator } from './not-an-operator.js';
import { OperatorApi } from './operator-api.js';
import type { OperatorPage } from './operator-page.js';
import { OverviewPage } from './overview-page.js';
import { ProblemNotice } from './problem-notice.js';

const PAGES: readonly [OperatorPage, ...OperatorPage[]] = [
  { path: 'overview', label: 'Overview', Page: OverviewPage },
  { path: 'largest', label: 'Largest', Page: LargestPage },
  { path: 'identities', label: 'Identities', Page: IdentitiesPage },
  { path: 'fees', label: 'Fees', Page: FeesPage },
  { path: 'jobs', label: 'Jobs', Page: JobsPage },
  { path: 'advertisements', label: 'Advertisements', Page: AdvertisementsPage },
  { path: 'configuration', label: 'Configuration', Page: ConfigurationPage },
  { path: 'audit', label: 'Audit log', Page: AuditPage },
];

type Access = 'unknown' | 'operator' | 'stranger';

/** The part for operators. Others learn who may see it, and nothing else. */
export default function OperatorView() {
  const identity = useCurrentIdentity();
  const api = useMemo(() => identity && new OperatorApi(identity), [identity]);
  const [access, setAccess] = useState<Access>('unknown');
  const [problem, setProblem] = useState<Explanation>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (api === undefined) return;
    let isWanted = true;
    setAccess('unknown');
    setProblem(undefined);
    // The smallest of the answers: it only tells whether there is one.
    api.listFees().then(
      () => isWanted && setAccess('operator'),
      (error: unknown) => {
        if (!isWanted) return;
        if (error instanceof ApiError && error.code === 'ERR_NOT_ADMIN') setAccess('stranger');
        else setProblem(explainError(error));
      },
    );
    return () => {
      isWanted = false;
    };
  }, [api, attempt]);
  const page = PAGES.find(({ path }) => path === route.value[1]) ?? PAGES[0];
  return (
    <div class="stack">
      <div class="view-head">
        <div>
          <h1>Operator</h1>
          <p class="quiet">How this server is doing, and what to do about it.</p>
        </div>
      </div>
      <ProblemNotice problem={problem} onRetry={() => setAttempt(attempt + 1)} />
      {access === 'unknown' && problem === undefined && <p class="view-wait">Asking the server …</p>}
      {access === 'stranger' && identity && <NotAnOperator identityKey={identity.identityKey} />}
      {access === 'operator' && api && (
        <>
          <nav class="subnav" aria-label="Operator">
            <ul>
              {PAGES.map(({ path, label }) => (
                <li key={path}>
                  <a href={`#/operator/${path}`} aria-current={path === page.path ? 'page' : undefined}>
                    {label}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <page.Page api={api} />
        </>
      )}
    </div>
  );
}
