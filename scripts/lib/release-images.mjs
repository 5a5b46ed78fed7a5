/** An image with its digest: `name[:tag]@sha256:…`. */
const PINNED = /^([^@\s]+)@(sha256:[0-9a-f]{64})$/;

/**
 * The images of others that a compose file names, by their variables.
 *
 * @param {string} compose
 * @returns {Record<string, string>}
 */
export function composeImages(compose) {
  const images = [...compose.matchAll(/^ +image: \$\{(\w+):-([^$}]+)\}$/gm)];
  return Object.fromEntries(images.map(([, variable, image]) => [variable, image]));
}

/**
 * Variables for docker-compose.yml.
 *
 * @param {Readonly<Record<string, string>>} ours images with digests, by service
 * @param {Readonly<Record<string, string>>} others images with digests, by variable
 */
export function imagesEnv(ours, others) {
  const all = {
    ...Object.fromEntries(Object.entries(ours).map(([name, image]) => [`${name.toUpperCase()}_IMAGE`, image])),
    ...others,
  };
  return Object.entries(all)
    .map(([variable, image]) => `${variable}=${split(image).join('@')}\n`)
    .join('');
}

/** `images` of a kustomization. @param {Readonly<Record<string, string>>} ours images with digests, by service */
export function imagesYaml(ours) {
  const entries = Object.entries(ours).map(([name, image]) => {
    const [newName, digest] = split(image);
    return `  - name: messagebox/${name}\n    newName: ${newName}\n    digest: ${digest}\n`;
  });
  return `images:\n${entries.join('')}`;
}

/** @throws {Error} when it has no digest */
function split(image) {
  const [, name, digest] = PINNED.exec(image) ?? [];
  if (name === undefined || digest === undefined) throw new Error(`${image} has no digest.`);
  return [name, digest];
}
