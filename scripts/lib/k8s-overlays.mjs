import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What an operator fills in, for checks and tests. */
const FILLED_IN = {
  'HOSTING_DOMAIN=': 'HOSTING_DOMAIN=https://messagebox.example.com',
  'WALLET_STORAGE_URL=': 'WALLET_STORAGE_URL=https://storage.example.com',
};

/**
 * Fills in what the production overlay leaves empty on purpose, so that it renders.
 *
 * @param {string} folder a copy of k8s
 */
export function fillProduction(folder) {
  const file = path.join(folder, 'overlays', 'production', 'kustomization.yaml');
  let text = readFileSync(file, 'utf8');
  for (const [empty, filled] of Object.entries(FILLED_IN)) text = text.replace(new RegExp(`${empty}$`, 'm'), filled);
  writeFileSync(file, text);
}

/**
 * The lines of rendered manifests with a name that stands for one of yours.
 *
 * @param {string} manifests
 * @returns {string[]} each once
 */
export function findPlaceholders(manifests) {
  const lines = manifests.split('\n').map((line) => line.trim());
  return [...new Set(lines.filter((line) => /\bexample\.(com|org)\b|\.invalid\b/.test(line)))];
}
