/** A tree of texts. */
export interface Messages {
  [key: string]: string | Messages
}

type SameShape<T> = { [K in keyof T]: T[K] extends string ? string : SameShape<T[K]> }

export interface Translations {
  zh: Messages
  en: Messages
}

/** Pairs the two languages; English that lacks a key of the Chinese text does not compile. */
export function translations<T extends Messages>(zh: T, en: SameShape<T>): Translations {
  return { zh, en: en as Messages }
}
