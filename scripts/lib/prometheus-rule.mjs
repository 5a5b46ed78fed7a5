import { readFileSync } from 'node:fs';
import { inRoot } from './workspace.mjs';

const HEAD = `# Made of deploy/observability/alerts.yml by \`npm run docs\`. docs/monitoring.md says what to do about each alert.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: messagebox
spec:
`;

/** The alerts as an object of the Prometheus operator. */
export function prometheusRule() {
  const [, groups] = readFileSync(inRoot('deploy', 'observability', 'alerts.yml'), 'utf8').split(/^(?=groups:)/m);
  return HEAD + groups.replaceAll(/^(?=.)/gm, '  ');
}
