// Checks the Kubernetes manifests without a cluster: `node scripts/k8s-check.mjs [FOLDER]`, default k8s.
// Every overlay, and the base with every component, must render with `kubectl kustomize` and be valid by the schema of
// Kubernetes, where the validator is there. What is missing on this machine is said loudly; in CI it is a failure.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inRoot } from './lib/workspace.mjs';

const VALIDATOR = inRoot('../shared/docker/k8s-validate.mjs');
const folder = path.resolve(process.argv[2] ?? inRoot('k8s'));
/** Kinds that the schema of Kubernetes itself does not have. */
const CUSTOM = ['gateway-api', 'service-monitor'];
/** What operators make themselves (docs/operating.md): without it, references to it would be taken for mistakes. */
const SECRET = `---
apiVersion: v1
kind: Secret
metadata:
  name: messagebox
  namespace: messagebox
stringData:
  SERVER_PRIVATE_KEY: ""
  KNEX_DB_CONNECTION: ""
  REDIS_URL: ""
`;

const foldersIn = (name) =>
  readdirSync(path.join(folder, name), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

process.exitCode = check() ? 0 : 1;

function check() {
  if (spawnSync('kubectl', ['version', '--client']).error) {
    return missing('kubectl is not installed, so no manifest was rendered.');
  }
  const validator = existsSync(VALIDATOR);
  const complete = validator || missing('k8s-validate.mjs is not there, so manifests were rendered but not validated.');
  const work = mkdtempSync(path.join(tmpdir(), 'messagebox-k8s-'));
  try {
    cpSync(folder, work, { recursive: true });
    const overlays = foldersIn('overlays').map((name) => ({ name: `overlays/${name}`, custom: false }));
    const components = foldersIn('components').map((name) => withComponent(work, name));
    const results = [...overlays, ...components].map(({ name, custom }) => checkOne(work, name, custom, validator));
    return results.every(Boolean) && complete;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Says what could not be checked; returns whether that is acceptable. */
function missing(what) {
  console.error(`\n!!! NOT CHECKED: ${what}\n`);
  return !process.env['CI'];
}

/** An overlay of nothing but the base and one component. */
function withComponent(work, component) {
  const name = `with/${component}`;
  mkdirSync(path.join(work, name), { recursive: true });
  writeFileSync(
    path.join(work, name, 'kustomization.yaml'),
    `namespace: messagebox\nresources: [../../base]\ncomponents: [../../components/${component}]\n`,
  );
  return { name, custom: CUSTOM.includes(component) };
}

function checkOne(work, name, custom, validator) {
  const render = spawnSync('kubectl', ['kustomize', path.join(work, name)], { encoding: 'utf8' });
  if (render.status !== 0) {
    console.error(`${name}: does not render: ${render.stderr.trim()}`);
    return false;
  }
  if (!validator) {
    console.log(`${name}: renders`);
    return true;
  }
  const hasSecret = /^kind: Secret$/m.test(render.stdout);
  const args = [VALIDATOR, '--strict', ...(custom ? ['--skip-unknown'] : []), '-'];
  const input = hasSecret ? render.stdout : `${render.stdout}${SECRET}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' });
  process.stdout.write(stdout.replaceAll(/^-:/gm, `${name}:`));
  process.stderr.write(stderr);
  return status === 0;
}
