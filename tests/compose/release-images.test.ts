import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { composeImages, imagesEnv, imagesYaml } from '../../scripts/lib/release-images.mjs';

const root = resolve(import.meta.dirname, '..', '..');
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const ours = Object.fromEntries(
  ['api', 'realtime', 'overlay'].map((name, i) => [name, `registry.test/mb/${name}@${digest(String(i))}`]),
);

describe('the images of a release', () => {
  const others = Object.fromEntries(
    Object.entries(composeImages(compose)).map(([variable, image]) => [variable, `${image}@${digest('f')}`]),
  );

  test('are all that docker-compose.yml names, each with a digest', () => {
    const lines = imagesEnv(ours, others).trimEnd().split('\n');
    const named = [...compose.matchAll(/^ +image: \$\{(\w+):-/gm)].map(([, variable]) => variable);
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual([...named].sort());
    for (const line of lines) expect(line).toMatch(/^\w+_IMAGE=\S+@sha256:[0-9a-f]{64}$/);
    expect(lines).toContain(`NGINX_IMAGE=nginx:1.27-alpine@${digest('f')}`);
  });

  test('are `images` of a kustomization', () => {
    expect(imagesYaml({ api: ours['api'] ?? '' })).toBe(
      `images:\n  - name: messagebox/api\n    newName: registry.test/mb/api\n    digest: ${digest('0')}\n`,
    );
  });

  test.each(['registry.test/mb/api:1.0', 'registry.test/mb/api@sha256:123', ''])(
    'are refused without a digest: %p',
    (image) => {
      expect(() => imagesEnv({ api: image }, {})).toThrow('has no digest');
      expect(() => imagesYaml({ api: image })).toThrow('has no digest');
    },
  );
});
