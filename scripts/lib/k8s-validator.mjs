import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Fixed, so that the result does not depend on kubeconform's default. k8s/ needs 1.30 or newer. */
const KUBERNETES_VERSION = '1.32.0';

/**
 * The program that checks rendered manifests against the schema of Kubernetes: the Node program that K8S_VALIDATOR
 * names, which takes `--strict`, `--skip-unknown` and `-`, or else kubeconform.
 *
 * @returns {import('./k8s-validator.mjs').Validator | undefined} undefined when there is neither
 */
export function findValidator() {
  const file = process.env['K8S_VALIDATOR'];
  if (file) return existsSync(file) ? namedValidator(path.resolve(file)) : undefined;
  return spawnSync('kubeconform', ['-v']).error ? undefined : kubeconform;
}

/** Reads the manifests from its standard input, and begins its lines with `-:`. */
const namedValidator = (file) => ({
  checksReferences: true,
  validate(name, manifests, skipUnknown) {
    const args = [file, '--strict', ...(skipUnknown ? ['--skip-unknown'] : []), '-'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: manifests, encoding: 'utf8' });
    return { isValid: status === 0, output: stdout.replaceAll(/^-:/gm, `${name}:`) + stderr };
  },
});

const kubeconform = {
  checksReferences: false,
  validate(name, manifests, skipUnknown) {
    const args = ['-strict', '-summary', '-kubernetes-version', KUBERNETES_VERSION];
    if (skipUnknown) args.push('-ignore-missing-schemas');
    const { status, stdout, stderr } = spawnSync('kubeconform', args, { input: manifests, encoding: 'utf8' });
    return { isValid: status === 0, output: (stdout + stderr).replaceAll(/^(?=.)/gm, `${name}: `) };
  },
};
