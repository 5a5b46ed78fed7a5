// Writes messagebox-images.env (for docker compose) and messagebox-images.yaml (`images` of a kustomization) into the working
// directory: `node scripts/release-images.mjs FOLDER`. FOLDER has a file for each service, with its image and digest. Images of
// others are asked for their digests, with `docker buildx imagetools`.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { composeImages, imagesEnv, imagesYaml } from './lib/release-images.mjs';
import { inRoot } from './lib/workspace.mjs';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder with the digests.');
const ours = Object.fromEntries(
  ['api', 'realtime', 'overlay'].map((name) => [name, readFileSync(path.join(folder, name), 'utf8').trim()]),
);
const others = Object.fromEntries(
  Object.entries(composeImages(readFileSync(inRoot('docker-compose.yml'), 'utf8'))).map(([variable, image]) => [
    variable,
    `${image}@${askDigest(image)}`,
  ]),
);
writeFileSync('messagebox-images.env', imagesEnv(ours, others));
writeFileSync('messagebox-images.yaml', imagesYaml(ours));

function askDigest(image) {
  const args = ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}'];
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${image}: ${stderr}`);
  return stdout.trim();
}
