export interface Validator {
  /** Whether references are checked as well: to ports, keys of Secrets, scale targets. */
  readonly checksReferences: boolean;
  /**
   * @param name begins each line of the output
   * @param manifests YAML
   * @param skipUnknown whether kinds are accepted that the schema of Kubernetes does not have
   */
  validate(name: string, manifests: string, skipUnknown: boolean): { isValid: boolean; output: string };
}

/**
 * The program that checks rendered manifests against the schema of Kubernetes: the Node program that K8S_VALIDATOR
 * names, or else kubeconform. Undefined when there is neither.
 */
export function findValidator(): Validator | undefined;
