/** Lists, which come in pages. */

import type { Pagination } from "./types/index.js";

/** What every list answers. */
export interface PageBody<T> {
  data: T[];
  pagination: Pagination;
}

/** A page of a list. Iterating it goes on over all pages after it. */
export class Page<T> implements PageBody<T>, AsyncIterable<T> {
  readonly data: T[];
  readonly pagination: Pagination;
  readonly #turn: (cursor: string) => Promise<Page<T>>;

  constructor(body: PageBody<T>, turn: (cursor: string) => Promise<Page<T>>) {
    this.data = body.data;
    this.pagination = body.pagination;
    this.#turn = turn;
  }

  /** Returns the page after this one; null when this is the last. */
  async nextPage(): Promise<Page<T> | null> {
    const cursor = this.pagination.next_cursor;
    return cursor === null ? null : this.#turn(cursor);
  }

  /** Yields what is on this page and on every one after it, fetching each when it is come to. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }

  /** Yields this page and every one after it. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    for (let page: Page<T> | null = this; page !== null; page = await page.nextPage()) yield page;
  }
}

/**
 * A list that has been asked for. Await it for its first page, iterate it for everything in it:
 *
 *     const { data } = await hj.users.list({ email });
 *     for await (const user of hj.users.list({ status: "active" })) { … }
 *
 * Nothing is sent before one of the two.
 */
export class PagePromise<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #fetch: () => Promise<Page<T>>;
  #first: Promise<Page<T>> | undefined;

  constructor(fetch: (cursor: string | null) => Promise<PageBody<T>>) {
    const turn = async (cursor: string | null): Promise<Page<T>> => new Page(await fetch(cursor), turn);
    this.#fetch = () => turn(null);
  }

  then<A = Page<T>, B = never>(
    fulfilled?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#page().then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Page<T> | B> {
    return this.#page().catch(rejected);
  }

  finally(ended?: (() => void) | null): Promise<Page<T>> {
    return this.#page().finally(ended);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    yield* await this.#page();
  }

  #page(): Promise<Page<T>> {
    this.#first ??= this.#fetch();
    return this.#first;
  }
}
