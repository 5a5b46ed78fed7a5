import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhen } from '@messagebox/test-support/describe-when';
import { hasKubectl, type Manifest, parseManifests, renderManifests, root, validator } from './manifests.js';

const hasHelm = spawnSync('helm', ['version']).error === undefined;
const chart = path.join(root, 'deploy/helm/messagebox');
/** As the production overlay is filled in for tests. */
const FILLED_IN = {
  images: { registry: 'registry.invalid/messagebox' },
  config: { HOSTING_DOMAIN: 'https://messagebox.example.com', WALLET_STORAGE_URL: 'https://storage.example.com' },
};

function helm(values: object): { status: number | null; yaml: string; error: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'messagebox-helm-test-'));
  try {
    const file = path.join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    // Not the oldest that it supports, which is what Helm takes itself for without a cluster.
    const args = ['template', 'messagebox', chart, '--namespace', 'messagebox', '--kube-version', '1.32.0', '-f', file];
    const { status, stdout, stderr } = spawnSync('helm', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    return { status, yaml: stdout, error: stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function render(values: object = FILLED_IN): Manifest[] {
  const { status, yaml, error } = helm(values);
  if (status !== 0) throw new Error(error);
  return parseManifests(yaml);
}

const find = (objects: readonly Manifest[], kind: string, name: string) =>
  objects.find((each) => each.kind === kind && each.metadata.name === name);
const podOf = (objects: readonly Manifest[], kind: string, name: string) => {
  const template = find(objects, kind, name)?.spec?.template;
  if (template === undefined) throw new Error(`there is no ${kind} ${name}`);
  return template.spec;
};

/** What both ways have to say in the same way: all but names of versions, and what tells each tool what to do. */
function normalise(objects: readonly Manifest[]): unknown[] {
  const own = ['app.kubernetes.io/name', 'checksum/config', 'creationTimestamp'];
  const clean = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) return value.map((each) => clean(each));
    if (typeof value === 'string') return value.replace(/^messagebox-[a-z0-9]{10}$/, 'messagebox');
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value)
      .filter(([name]) => !own.includes(name))
      .map(([name, each]) => [name, clean(each, name)] as const)
      .filter(([, each]) => JSON.stringify(each) !== '{}');
    return key === 'metadata'
      ? Object.fromEntries(entries.filter(([name]) => name !== 'namespace'))
      : Object.fromEntries(entries);
  };
  return objects
    .map((object) =>
      object.kind === 'Job' || object.kind === 'ConfigMap'
        ? { ...object, metadata: { ...object.metadata, annotations: {} } }
        : object,
    )
    .map((object) => clean(object) as Manifest)
    .sort((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`));
}

describeWhen(hasHelm && hasKubectl, 'the Helm chart', 'helm and kubectl', () => {
  test('makes what the production overlay makes', () => {
    const expected = normalise(renderManifests('overlays/production'));
    expect(expected.length).toBeGreaterThan(20);
    expect(normalise(render())).toEqual(expected);
  });

  describeWhen(validator !== undefined, 'validation', 'kubeconform, or the validator that K8S_VALIDATOR names', () => {
    test('finds nothing wrong with everything switched on', () => {
      const { yaml } = helm({ ...FILLED_IN, serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } });
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'messagebox', namespace: 'messagebox' },
        stringData: { SERVER_PRIVATE_KEY: '', KNEX_DB_CONNECTION: '', REDIS_URL: '' },
      };
      const { isValid, output } = validator?.validate('chart', `${yaml}\n---\n${JSON.stringify(secret)}\n`, true) ?? {};
      expect({ isValid, output }).toEqual({ isValid: true, output: expect.any(String) });
    });
  });

  test('makes neither Secret nor namespace, and migrates before the pods come', () => {
    const objects = render();
    expect(objects.filter(({ kind }) => ['Secret', 'Namespace'].includes(kind))).toEqual([]);
    expect(find(objects, 'Job', 'messagebox-migrate')?.metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade',
      'helm.sh/hook-delete-policy': 'before-hook-creation',
    });
  });

  test.each([
    ['images.registry', { ...FILLED_IN, images: {} }],
    ['config.HOSTING_DOMAIN', { ...FILLED_IN, config: { ...FILLED_IN.config, HOSTING_DOMAIN: '' } }],
    ['config.WALLET_STORAGE_URL', { ...FILLED_IN, config: { ...FILLED_IN.config, WALLET_STORAGE_URL: '' } }],
    ['ingress.host', { ...FILLED_IN, config: { NETWORK: 'local' } }],
  ])('is refused without %s', (name, values) => {
    const { status, yaml, error } = helm(values);
    expect({ status, yaml }).toEqual({ status: 1, yaml: '' });
    expect(error).toContain(`${name} is missing`);
  });

  test('takes a Secret, pull secrets, placement, resources, variables and digests of one`s own', () => {
    const affinity = { nodeAffinity: {} };
    const extra = { name: 'NODE_EXTRA_CA_CERTS', value: '/ca.pem' };
    const objects = render({
      images: { ...FILLED_IN.images, pullSecrets: [{ name: 'pull' }], digests: { api: `sha256:${'a'.repeat(64)}` } },
      config: { ...FILLED_IN.config, MAX_BODY_BYTES: 1_000_000, LOGGING_ENABLED: true },
      existingSecret: 'mine',
      extraEnv: [extra],
      api: { affinity, nodeSelector: { disk: 'fast' }, tolerations: [{ operator: 'Exists' }] },
      overlay: { replicas: 3, resources: { limits: { memory: '3Gi' } } },
    });
    const [api, overlay] = ['api', 'overlay'].map((name) => podOf(objects, 'Deployment', `messagebox-${name}`));
    expect(api).toMatchObject({
      affinity,
      nodeSelector: { disk: 'fast' },
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: [{ name: 'pull' }],
    });
    const migration = podOf(objects, 'Job', 'messagebox-migrate');
    for (const pod of [api, migration]) {
      expect(pod?.containers[0].image).toBe(`registry.invalid/messagebox/api@sha256:${'a'.repeat(64)}`);
      expect(pod?.containers[0].env).toContainEqual(extra);
    }
    expect(overlay).toMatchObject({ containers: [{ resources: { limits: { memory: '3Gi' } } }] });
    expect(overlay?.containers[0].image).toBe('registry.invalid/messagebox/overlay:0.1.0');
    expect(find(objects, 'Deployment', 'messagebox-overlay')?.spec?.replicas).toBe(3);
    const secrets = objects.flatMap(({ spec }) => spec?.template?.spec.containers[0].env ?? []);
    const names = secrets.flatMap(
      ({ valueFrom }) => (valueFrom?.secretKeyRef as { name?: string } | undefined)?.name ?? [],
    );
    expect(new Set(names)).toEqual(new Set(['mine']));
    expect(find(objects, 'ConfigMap', 'messagebox')?.data).toMatchObject({
      MAX_BODY_BYTES: '1000000',
      LOGGING_ENABLED: 'true',
      DB_POOL_SIZE: '7',
    });
  });

  test('rolls the pods when a value of the ConfigMap changes', () => {
    const checksum = (config: object) =>
      find(render({ ...FILLED_IN, config: { ...FILLED_IN.config, ...config } }), 'Deployment', 'messagebox-api')?.spec
        ?.template?.metadata.annotations?.['checksum/config'];
    expect(checksum({})).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum({ TRUST_PROXY: 2 })).not.toBe(checksum({}));
  });

  test('leaves out what is switched off, and routes sockets below ROUTING_PREFIX too', () => {
    const objects = render({
      ...FILLED_IN,
      config: { ...FILLED_IN.config, ROUTING_PREFIX: '/api' },
      autoscaling: { enabled: false },
      networkPolicies: { enabled: false },
      migration: { enabled: false },
    });
    const kinds = new Set(objects.map(({ kind }) => kind));
    for (const kind of ['HorizontalPodAutoscaler', 'NetworkPolicy', 'Job']) expect([...kinds]).not.toContain(kind);
    expect(find(objects, 'Deployment', 'messagebox-api')?.spec?.replicas).toBe(2);
    const paths = find(objects, 'Ingress', 'messagebox')?.spec?.rules?.flatMap(({ http }) => http?.paths ?? []) ?? [];
    expect(paths.slice(0, 2).map(({ path: each }) => each)).toEqual(['/api/socket.io/', '/socket.io/']);
  });
});
