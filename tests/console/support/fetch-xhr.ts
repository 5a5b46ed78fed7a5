/**
 * The part of `XMLHttpRequest` that the browser build of engine.io-client uses, over a `fetch`. Node has none.
 *
 * @param fetchIt what requests go through
 */
export function createXhrClass(fetchIt: typeof fetch) {
  return class FetchXhr extends EventTarget {
    readonly withCredentials = false;
    onreadystatechange: (() => void) | null = null;
    readyState = 0;
    status = 0;
    statusText = '';
    responseText = '';
    readonly #abort = new AbortController();
    readonly #requestHeaders: [string, string][] = [];
    #responseHeaders = '';
    #opened = { method: 'GET', url: '' };

    open(method: string, url: string): void {
      this.#opened = { method, url };
      this.#change(1);
    }

    setRequestHeader(name: string, value: string): void {
      this.#requestHeaders.push([name, value]);
    }

    getAllResponseHeaders(): string {
      return this.#responseHeaders;
    }

    abort(): void {
      this.#abort.abort();
    }

    send(body: string | null = null): void {
      this.#run(body).then(
        () => this.dispatchEvent(new Event('load')),
        () => {
          this.#change(4);
          this.dispatchEvent(new Event('error'));
        },
      );
    }

    async #run(body: string | null): Promise<void> {
      const { method, url } = this.#opened;
      const response = await fetchIt(url, { method, headers: this.#requestHeaders, body, signal: this.#abort.signal });
      this.responseText = await response.text();
      this.status = response.status;
      this.statusText = response.statusText;
      this.#responseHeaders = Array.from(response.headers, ([name, value]) => `${name}: ${value}\r\n`).join('');
      this.#change(4);
    }

    #change(readyState: number): void {
      this.readyState = readyState;
      this.onreadystatechange?.();
    }
  };
}
