import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fillProduction } from '../../scripts/lib/k8s-overlays.mjs';
import { findValidator } from '../../scripts/lib/k8s-validator.mjs';

export const root = path.join(__dirname, '../..');
export const hasKubectl = spawnSync('kubectl', ['version', '--client']).error === undefined;
export const validator = findValidator();

/** The parts of an object that the tests look at. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly metadata: Metadata; readonly spec: PodSpec };
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    readonly replicas?: number;
    readonly maxReplicas?: number;
    readonly strategy?: { readonly rollingUpdate: { readonly maxSurge: number } };
    readonly ttlSecondsAfterFinished?: number;
    readonly groups?: unknown;
    readonly rules?: readonly Rule[];
    readonly metrics?: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
    readonly podSelector?: { readonly matchExpressions?: readonly { readonly values: readonly string[] }[] };
    readonly policyTypes?: readonly string[];
    readonly ingress?: unknown;
    readonly egress?: readonly { readonly to: readonly Peer[]; readonly ports: readonly unknown[] }[];
  };
}

interface Metadata {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A rule of an Ingress (`host`, `http`) or of an HTTPRoute (`matches`, `backendRefs`). */
interface Rule {
  readonly host?: string;
  readonly http?: {
    readonly paths: readonly { readonly path: string; readonly pathType: string; readonly backend: unknown }[];
  };
  readonly matches?: readonly { readonly path: { readonly type: string; readonly value: string } }[];
  readonly backendRefs?: readonly { readonly name: string; readonly port: number }[];
}

interface Peer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PodSpec {
  readonly containers: readonly [Container];
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

export interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly key: string } };
  }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

/** The objects of a kustomize folder below k8s/, as kubectl reads them, with what an operator fills in. */
export function renderManifests(folder: string): Manifest[] {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'messagebox-k8s-test-'));
  try {
    cpSync(path.join(root, 'k8s'), copy, { recursive: true });
    fillProduction(copy);
    return parseManifests(kubectl(['kustomize', path.join(copy, folder)]));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The objects of manifests in YAML. */
export function parseManifests(yaml: string): Manifest[] {
  // Taking away an annotation that none has gives the objects back as JSON, and asks no cluster.
  const json = kubectl(['annotate', '--local', '-f', '-', '-o', 'json', 'messagebox.invalid/none-'], yaml);
  return json.split(/\n(?=\{\n)/).map((text) => JSON.parse(text) as Manifest);
}

function kubectl(args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', input, maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`kubectl ${args[0]}: ${stderr}`);
  return stdout;
}
