import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { answerHealth, Health, Metrics, readConfig, variables } from '@messagebox/shared';
import { describeWhen } from '@messagebox/test-support/describe-when';
import { fillProduction } from '../../scripts/lib/k8s-overlays.mjs';
import { DEVELOPMENT_PATH, OVERLAY_PATHS } from '../support/overlay-paths.js';
import { type Container, hasKubectl, type Manifest, renderManifests, root, validator } from './manifests.js';

const OVERLAYS = ['local', 'production'];
/** Steps of stopping that come after the grace get a moment each. */
const MARGIN_SECONDS = 5;

function check(folder?: string, { overlay, ...env }: Record<string, string> = {}) {
  const what = [folder, overlay].flatMap((arg) => arg ?? []);
  const args = [path.join(root, 'scripts/k8s-check.mjs'), ...what];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, output: stdout + stderr };
}

describeWhen(hasKubectl, 'scripts/k8s-check.mjs', 'kubectl', () => {
  test('takes every overlay and component', () => {
    const { status, output } = check();
    for (const name of OVERLAYS) expect(output).toContain(`overlays/${name}: `);
    for (const name of ['autoscaling', 'gateway-api', 'ingress-nginx', 'prometheus-rule', 'service-monitor'])
      expect(output).toContain(`with/${name}: `);
    expect(output).not.toMatch(/error: |INVALID/);
    expect(status).toBe(validator !== undefined || !process.env['CI'] ? 0 : 1);
  });

  describeWhen(validator !== undefined, 'validation', 'kubeconform, or the validator that K8S_VALIDATOR names', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'messagebox-k8s-test-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    const fields: [file: string, right: string, wrong: string, said: string][] = [
      ['base/api.yaml', 'terminationGracePeriodSeconds', 'terminationGracePeriodSecond', 'unknown field'],
      ['base/realtime.yaml', 'readinessProbe:', 'readynessProbe:', 'unknown field'],
      ['base/overlay.yaml', 'image:', 'imgae:', 'unknown field'],
      ['overlays/production/external-services.yaml', 'policyTypes', 'policyType', 'unknown field'],
      ['overlays/production/kustomization.yaml', 'external-services.yaml', 'external.yaml', 'does not render'],
    ];
    const references: typeof fields = [
      ['base/api.yaml', 'targetPort: http', 'targetPort: htpp', 'no port named htpp'],
      ['base/realtime.yaml', 'key: REDIS_URL', 'key: REDIS_URI', 'has no key REDIS_URI'],
      ['components/autoscaling/autoscalers.yaml', 'name: messagebox-api', 'name: messagebox-app', 'messagebox-app'],
    ];
    const { checksReferences = false } = validator ?? {};

    test.each([...fields, ...(checksReferences ? references : [])])(
      'refuses %s with %s spelled %s',
      (file, right, wrong, said) => {
        cpSync(path.join(root, 'k8s'), folder, { recursive: true });
        const target = path.join(folder, file);
        const text = readFileSync(target, 'utf8');
        expect(text).toContain(right);
        writeFileSync(target, text.replaceAll(right, wrong));
        const { status, output } = check(folder);
        // kubeconform words it otherwise, and names the field too.
        expect(output).toContain(checksReferences || said !== 'unknown field' ? said : wrong.replace(':', ''));
        expect(status).toBe(1);
      },
    );
  });
});

test('scripts/k8s-check.mjs says so loudly where kubectl is missing, and fails in CI', () => {
  const none = { PATH: path.join(root, 'k8s') };
  expect(check(undefined, { ...none, CI: '' })).toMatchObject({ status: 0, output: expect.stringContaining('!!!') });
  expect(check(undefined, { ...none, CI: 'true' })).toMatchObject({
    status: 1,
    output: expect.stringContaining('!!!'),
  });
});

describeWhen(hasKubectl, 'the Kubernetes manifests', 'kubectl', () => {
  describe.each(OVERLAYS)('of overlay %s', (overlay) => {
    let objects: Manifest[];
    beforeAll(() => {
      objects = renderManifests(`overlays/${overlay}`);
    });

    const found = (kind: string, name: string): Manifest => {
      const object = objects.find((each) => each.kind === kind && each.metadata.name.startsWith(name));
      if (object === undefined) throw new Error(`there is no ${kind} ${name}`);
      return object;
    };
    const pod = (kind: string, name: string) => {
      const template = found(kind, name).spec?.template;
      if (template === undefined) throw new Error(`${name} makes no pods`);
      return {
        annotations: template.metadata.annotations ?? {},
        spec: template.spec,
        main: template.spec.containers[0],
      };
    };
    const services = () =>
      [
        { name: 'api', ...pod('Deployment', 'messagebox-api') },
        { name: 'realtime', ...pod('Deployment', 'messagebox-realtime') },
        { name: 'overlay', ...pod('Deployment', 'messagebox-overlay') },
      ] as const;
    const settings = () => found('ConfigMap', 'messagebox').data ?? {};
    /** The environment of a container; `secrets` are the values from the Secret or the pod. */
    const environment = (container: Container, secrets: Record<string, string>) => ({
      ...(container.envFrom === undefined ? {} : settings()),
      ...Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? secrets[name]])),
    });
    const secrets = {
      INTERNAL_ADDRESS: '10.0.0.7',
      SERVER_PRIVATE_KEY: '77'.repeat(32),
      KNEX_DB_CONNECTION: '{"host":"mysql","user":"u","password":"p","database":"d"}',
      REDIS_URL: 'redis://redis:6379',
    };

    test('set only variables that exist, to values that are taken', () => {
      for (const main of [...services().map((service) => service.main), pod('Job', 'messagebox-migrate').main]) {
        const env = environment(main, secrets);
        expect(Object.keys(variables)).toEqual(expect.arrayContaining(Object.keys(env)));
        const config = readConfig(env);
        expect(config.store).toMatchObject({ client: 'mysql2' });
        for (const { name, valueFrom } of main.env ?? []) {
          if (valueFrom?.secretKeyRef !== undefined) expect(valueFrom.secretKeyRef.key).toBe(name);
        }
      }
      for (const { main } of services()) {
        const config = readConfig(environment(main, secrets));
        expect(config.serverPrivateKey).toBeDefined();
        expect(config.redis).toBeDefined();
        expect(config.nodeEnv).toBe('production');
      }
    });

    test('agree on ports', () => {
      for (const { name, main, annotations } of services()) {
        const config = readConfig(environment(main, secrets));
        const ports = Object.fromEntries((main.ports ?? []).map((port) => [port.name, port.containerPort]));
        expect(ports).toEqual({ http: config.port, internal: config.internalPort });
        expect(annotations['prometheus.io/port']).toBe(String(config.internalPort));
        expect(found('Service', `messagebox-${name}`).spec?.ports).toMatchObject([
          { name: 'http', targetPort: 'http' },
        ]);
        expect(found('Service', `messagebox-${name}-internal`).spec?.ports).toMatchObject([
          { name: 'internal', port: config.internalPort, targetPort: 'internal' },
        ]);
      }
    });

    test('probe what answers', () => {
      const response = { writeHead: () => undefined, end: () => undefined } as unknown as ServerResponse;
      for (const { main } of services()) {
        const paths = [main.startupProbe, main.livenessProbe, main.readinessProbe].map((probe) => probe?.httpGet?.path);
        expect(paths).toEqual(['/health/live', '/health/live', '/health/ready']);
        for (const each of paths) expect(answerHealth(each ?? '', response, new Health())).toBe(true);
      }
    });

    test('give a pod the time that it takes to stop', () => {
      for (const { main, spec } of services()) {
        const { shutdownGraceMs } = readConfig(environment(main, secrets));
        const preStop = main.lifecycle?.preStop.sleep.seconds ?? 0;
        expect(preStop).toBeGreaterThanOrEqual(5);
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
          preStop + shutdownGraceMs / 1_000 + MARGIN_SECONDS,
        );
      }
    });

    test('migrate with the image of api', () => {
      const { main } = pod('Job', 'messagebox-migrate');
      expect(main.image).toBe(services()[0].main.image);
      expect(main.args).toEqual(['node', 'services/api/dist/migrate.js', '--allow-newer']);
      expect(existsSync(path.join(root, 'services/api/src/migrate.ts'))).toBe(true);
    });

    test('keep the migration for `kubectl wait`, and tell Argo CD and Flux to replace it', () => {
      const { metadata, spec } = found('Job', 'messagebox-migrate');
      expect(spec?.ttlSecondsAfterFinished).toBeUndefined();
      expect(metadata.annotations).toEqual({
        'argocd.argoproj.io/hook': 'Sync',
        'argocd.argoproj.io/sync-wave': '-1',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        'kustomize.toolkit.fluxcd.io/force': 'enabled',
      });
    });

    test('have no path with a dot of the types in which ingress-nginx 1.12 and 1.13 refuse it', () => {
      const paths = found('Ingress', 'messagebox').spec?.rules?.flatMap((rule) => rule.http?.paths ?? []) ?? [];
      const strict = paths.filter(({ pathType }) => pathType !== 'ImplementationSpecific');
      for (const { path: each } of strict) expect(each).toMatch(/^\/[A-Za-z0-9_\-/]*$/);
    });

    test('send /socket.io/ to realtime, what overlay nodes have to overlay, and all else to api', () => {
      const paths = found('Ingress', 'messagebox').spec?.rules?.flatMap((rule) => rule.http?.paths ?? []) ?? [];
      const to = (service: string) => ({ service: { name: `messagebox-${service}`, port: { name: 'http' } } });
      expect(paths).toEqual([
        { path: '/socket.io/', pathType: 'ImplementationSpecific', backend: to('realtime') },
        ...OVERLAY_PATHS.map((each) => ({ path: each, pathType: 'Exact', backend: to('overlay') })),
        { path: DEVELOPMENT_PATH, pathType: 'Prefix', backend: to('overlay') },
        { path: '/', pathType: 'Prefix', backend: to('api') },
      ]);
    });

    test('take what the services take', () => {
      const ingress = found('Ingress', 'messagebox');
      const { annotations } = ingress.metadata as { annotations?: Record<string, string> };
      const size = annotations?.['nginx.ingress.kubernetes.io/proxy-body-size'] ?? '';
      expect(size).toMatch(/^\d+m$/);
      const bytes = Number.parseInt(size, 10) * 1_048_576;
      const { limits } = readConfig(environment(services()[1].main, secrets));
      expect(bytes).toBeGreaterThan(Math.max(limits.requestBody, limits.liveBody * 6));
      expect(JSON.stringify(annotations)).not.toMatch(/rewrite|affinity|snippet/);
    });

    test('keep to the restricted profile', () => {
      for (const object of objects) {
        const spec = object.spec?.template?.spec;
        if (spec === undefined) continue;
        expect(spec).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        });
        for (const { securityContext } of spec.containers) {
          expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
        }
      }
      for (const { spec, main } of [...services(), pod('Job', 'messagebox-migrate')]) {
        expect(spec.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000 });
        expect(main.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
      }
    });

    test('let out to the internet those who verify payments and ask other hosts, and nobody inside of it', () => {
      const { podSelector, egress } = found('NetworkPolicy', 'to-internet').spec ?? {};
      expect(podSelector?.matchExpressions).toEqual([
        { key: 'app.kubernetes.io/component', operator: 'In', values: ['api', 'overlay', 'realtime'] },
      ]);
      const [{ to, ports } = { to: [], ports: [] }, ...more] = egress ?? [];
      expect({ ports, more }).toEqual({ ports: [{ port: 443 }], more: [] });
      const except = to.flatMap(({ ipBlock }) => ipBlock?.except ?? []);
      for (const inside of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7'])
        expect(except).toContain(inside);
    });

    test('let every service reach what it keeps its data in, and be reached by the entrance and by Prometheus', () => {
      const names = services().map(({ name }) => name);
      const entrance = 'ingress-to-public';
      for (const policy of ['to-mysql', 'to-redis', 'prometheus-to-internal', entrance]) {
        const [{ values } = { values: [] }] = found('NetworkPolicy', policy).spec?.podSelector?.matchExpressions ?? [];
        expect({ policy, values }).toEqual({ policy, values: expect.arrayContaining(names) });
      }
    });

    test('deny by default', () => {
      const all = objects.filter((each) => each.kind === 'NetworkPolicy' && each.metadata.name === 'default-deny');
      expect(all).toHaveLength(1);
      expect(all[0]?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    });

    test('name a version of every image', () => {
      for (const object of objects) {
        for (const { image } of object.spec?.template?.spec.containers ?? [])
          expect(image).toMatch(/:(?!latest$)[\w.-]+$/);
      }
    });
  });

  test('production holds no secret, and leaves replicas to the autoscalers', () => {
    const objects = renderManifests('overlays/production');
    // Neither is the namespace: what deletes it deletes the Secret, and with it the only key.
    expect(objects.filter((each) => ['Secret', 'Namespace'].includes(each.kind))).toEqual([]);
    const scaled = objects.filter((each) => each.kind === 'HorizontalPodAutoscaler').map((each) => each.metadata.name);
    expect(scaled).toEqual(['messagebox-api', 'messagebox-realtime']);
    const deployments = objects.filter((each) => each.kind === 'Deployment');
    expect(Object.fromEntries(deployments.map(({ metadata, spec }) => [metadata.name, spec?.replicas]))).toEqual({
      'messagebox-api': undefined,
      'messagebox-realtime': undefined,
      'messagebox-overlay': 2,
    });
  });

  test('local is on a play chain, and production names what it needs to be found', () => {
    const config = (overlay: string) => {
      const data = renderManifests(`overlays/${overlay}`).find((each) => each.kind === 'ConfigMap')?.data ?? {};
      return readConfig({ ...data, KNEX_DB_CLIENT: undefined });
    };
    expect(config('local')).toMatchObject({ network: 'local', hostingDomain: undefined });
    const { network, hostingDomain, walletStorageUrl } = config('production');
    expect(network).toBe('main');
    for (const url of [hostingDomain, walletStorageUrl]) expect(url).toMatch(/^https:\/\/[\w.]+$/);
    const hosts = renderManifests('overlays/production').find((each) => each.kind === 'Ingress')?.spec?.rules;
    expect(hosts?.map(({ host }) => `https://${host}`)).toEqual([hostingDomain]);
  });

  test('production needs no more connections than MySQL allows, in the middle of a rollout', () => {
    const objects = renderManifests('overlays/production');
    const deployments = objects.filter((each) => each.kind === 'Deployment');
    const autoscalers = objects.filter((each) => each.kind === 'HorizontalPodAutoscaler');
    const pods = deployments.map(({ metadata, spec }) => {
      const most = autoscalers.find((each) => each.metadata.name === metadata.name)?.spec?.maxReplicas;
      return (most ?? spec?.replicas ?? 0) + (spec?.strategy?.rollingUpdate.maxSurge ?? 0);
    });
    const { DB_POOL_SIZE } = objects.find((each) => each.kind === 'ConfigMap')?.data ?? {};
    const migration = variables.DB_POOL_SIZE.parse(undefined) as number;
    expect(pods.length).toBe(3);
    expect(pods.reduce((sum, count) => sum + count, 0) * Number(DB_POOL_SIZE) + migration).toBeLessThan(151);
  });

  test('production does not render before it was filled in', () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path.join(root, 'k8s/overlays/production')], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('index 2 is out of bounds');
  });

  test('scripts/k8s-check.mjs --overlay finds what was not filled in', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'messagebox-k8s-test-'));
    const overlay = path.join(folder, 'overlays/production');
    const file = path.join(overlay, 'kustomization.yaml');
    const rename = (wrong: string, right: string) =>
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(wrong, right));
    try {
      cpSync(path.join(root, 'k8s'), folder, { recursive: true });
      expect(check('--overlay', { overlay })).toMatchObject({
        status: 1,
        output: expect.stringContaining('does not render'),
      });
      fillProduction(folder);
      rename('example.com', 'mine.test');
      const { status, output } = check('--overlay', { overlay });
      expect(output.match(/still to be filled in: .*/g)).toEqual(
        ['api', 'overlay', 'realtime'].map(
          (name) => `still to be filled in: image: registry.invalid/messagebox/${name}:0.1.0`,
        ),
      );
      expect(status).toBe(1);
      rename('registry.invalid', 'registry.mine.test');
      expect(check('--overlay', { overlay })).toMatchObject({ status: validator || !process.env['CI'] ? 0 : 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('the Gateway API routes as the Ingress does', () => {
    const routes = renderManifests('components/gateway-api').filter((each) => each.kind === 'HTTPRoute');
    const rules = routes.find((each) => each.metadata.name === 'messagebox')?.spec?.rules ?? [];
    const routed = rules.map(({ matches = [], backendRefs = [] }) => ({
      to: backendRefs.map(({ name, port }) => `${name}:${port}`),
      paths: matches.map(({ path: { type, value } }) => `${type} ${value}`),
    }));
    expect(routed).toEqual([
      { to: ['messagebox-realtime:80'], paths: ['PathPrefix /socket.io'] },
      { to: ['messagebox-overlay:80'], paths: OVERLAY_PATHS.map((each) => `Exact ${each}`) },
      { to: ['messagebox-overlay:80'], paths: [`PathPrefix ${DEVELOPMENT_PATH.slice(0, -1)}`] },
      { to: ['messagebox-api:80'], paths: ['PathPrefix /'] },
    ]);
    for (const { paths } of routed) expect(paths.length).toBeLessThanOrEqual(8);
  });

  test('realtime is scaled by a metric that it has', () => {
    const autoscalers = renderManifests('overlays/production').filter(
      (each) => each.kind === 'HorizontalPodAutoscaler',
    );
    const names = autoscalers
      .flatMap((each) => each.spec?.metrics ?? [])
      .flatMap((metric) => metric.pods?.metric.name ?? []);
    expect(names).toEqual(['messagebox_sockets']);
    const registered = new Metrics('x', {}).registry.getMetricsAsArray().map((metric) => metric.name);
    const source = readFileSync(path.join(root, 'services/realtime/src/sockets/gauges.ts'), 'utf8');
    for (const name of names) expect(registered.includes(name) || source.includes(`'${name}'`)).toBe(true);
  });
});
