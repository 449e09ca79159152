/**
 * What lies in the bank. A balance of nothing is an absent key, so accounts come and go all the time.
 *
 *     a/0012          accounts: everybody transfers, by transactions; none is ever overdrawn
 *     j/3/0, j/3/1    joint accounts: either half may be overdrawn, but not both together; only serializable
 *                     transactions may keep that up (write skew)
 *     p/2/1           pockets of one slot: only its worker moves money between them, by batches
 *     s/2             how many transfers a slot has made: it is written together with each of them
 */
import type { BatchOperation } from '../transactional-store.ts'

export const JOINTS = 2
export const POCKETS = 3
const OPENING = 100

export interface Plan {
  readonly accounts: number
  readonly slots: number
}

export const ACCOUNT_PREFIX = 'a/'
export const accountKey = (account: number): string => ACCOUNT_PREFIX + String(account).padStart(5, '0')
export const jointKey = (joint: number, half: number): string => `j/${joint}/${half}`
export const pocketKey = (slot: number, pocket: number): string => `p/${slot}/${pocket}`
export const sequenceKey = (slot: number): string => `s/${slot}`

export const accountOf = (key: string): number => Number(key.slice(ACCOUNT_PREFIX.length))
/** What all accounts and joint accounts hold together. */
export const totalOf = (plan: Plan): number => (plan.accounts + JOINTS) * OPENING
export const POCKET_TOTAL = POCKETS * OPENING

/** Everything that is in the bank on its first day. */
export function opening({ accounts, slots }: Plan): BatchOperation[] {
  const operations: BatchOperation[] = []
  const set = (key: string, value: number): void => {
    operations.push({ type: 'set', key, value: String(value) })
  }
  for (let account = 0; account < accounts; account++) set(accountKey(account), OPENING)
  for (let joint = 0; joint < JOINTS; joint++) set(jointKey(joint, 0), OPENING)
  for (let slot = 0; slot < slots; slot++) {
    for (let pocket = 0; pocket < POCKETS; pocket++) set(pocketKey(slot, pocket), OPENING)
    set(sequenceKey(slot), 0)
  }
  return operations
}
