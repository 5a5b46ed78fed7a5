// Checks the Kubernetes manifests without a cluster: `node scripts/k8s-check.mjs [FOLDER]`, default k8s; and an overlay of your
// own, also for what was not filled in: `node scripts/k8s-check.mjs --overlay FOLDER`.
// Every overlay, and the base with every component, must render with `kubectl kustomize` and be valid by the schema of
// Kubernetes. The validator is kubeconform, or the program that K8S_VALIDATOR names. Without kubectl or a validator the
// script says so; in CI that is a failure.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fillProduction, findPlaceholders } from './lib/k8s-overlays.mjs';
import { findValidator } from './lib/k8s-validator.mjs';
import { inRoot } from './lib/workspace.mjs';

const { values: options, positionals } = parseArgs({
  options: { overlay: { type: 'string' } },
  allowPositionals: true,
});
const folder = path.resolve(positionals[0] ?? inRoot('k8s'));
/** Kinds that the schema of Kubernetes itself does not have. */
const CUSTOM = ['gateway-api', 'prometheus-rule', 'service-monitor'];
/** The Secret that operators create themselves (docs/deploy/kubernetes.md). References to it would be errors without it. */
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
  const validator = findValidator();
  const complete =
    validator !== undefined || missing('there is no kubeconform and no K8S_VALIDATOR: manifests were only rendered.');
  if (options.overlay !== undefined) return checkOverlay(path.resolve(options.overlay), validator) && complete;
  const work = mkdtempSync(path.join(tmpdir(), 'messagebox-k8s-'));
  try {
    cpSync(folder, work, { recursive: true });
    fillProduction(work);
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

function checkOverlay(overlay, validator) {
  const manifests = render(overlay, overlay);
  if (manifests === undefined) return false;
  const placeholders = findPlaceholders(manifests);
  for (const line of placeholders) console.error(`${overlay}: is still to be filled in: ${line}`);
  return validate(overlay, manifests, true, validator) && placeholders.length === 0;
}

/** The manifests of a folder; undefined, and said, when it does not render. */
function render(name, path) {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path], { encoding: 'utf8' });
  if (status === 0) return stdout;
  console.error(`${name}: does not render: ${stderr.trim()}`);
  return undefined;
}

function checkOne(work, name, custom, validator) {
  const manifests = render(name, path.join(work, name));
  return manifests !== undefined && validate(name, manifests, custom, validator);
}

function validate(name, manifests, custom, validator) {
  if (validator === undefined) {
    console.log(`${name}: renders`);
    return true;
  }
  const hasSecret = /^kind: Secret$/m.test(manifests);
  const { isValid, output } = validator.validate(name, hasSecret ? manifests : `${manifests}${SECRET}`, custom);
  (isValid ? process.stdout : process.stderr).write(output);
  return isValid;
}
