/** The flags of an entry or slot word; see base.ts. */
export const FROZEN = 1 << 31
export const EMPTIED = 1 << 30
export const FRAGMENT_MASK = EMPTIED - 1
/** Marks the first unused slot of a page that takes no more fragments. Leads nowhere. */
export const SEALED = FROZEN | EMPTIED | 1 | 0
