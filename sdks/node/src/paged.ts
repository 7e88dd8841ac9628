import { unexpected } from './http';
import type { Page } from './types';

/**
 * A list: `for await` goes over its items through all pages, `page()` gets one page, `pages()` goes over the pages. Nothing is asked before.
 */
export class Paged<T> implements AsyncIterable<T> {
  readonly #load: (cursor: string | null) => Promise<Page<T>>;
  readonly #start: string | null;

  /** @internal */
  constructor(load: (cursor: string | null) => Promise<Page<T>>, start: string | null) {
    this.#load = load;
    this.#start = start;
  }

  /** One page: the first, or the one that begins at a `next_cursor`. */
  async page(cursor?: string | null): Promise<Page<T>> {
    const page = await this.#load(cursor ?? this.#start);
    if (!Array.isArray(page.data)) throw unexpected('a page of a list');
    return page;
  }

  /** Page after page. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    let cursor: string | null = this.#start;
    do {
      const page: Page<T> = await this.page(cursor);
      yield page;
      cursor = page.next_cursor ?? null;
    } while (cursor !== null);
  }

  /** Item after item, through all pages. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }
}
