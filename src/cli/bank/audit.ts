import { accountOf, JOINTS, POCKET_TOTAL, totalOf, type Plan } from './plan.ts'

/** The sums of a bank at one moment. */
export interface Audit {
  /** What does not add up; nothing if all is well. */
  readonly problems: readonly string[]
  readonly sequences: ReadonlyMap<number, number>
}

/** Adds up all entries of a bank as they were at one moment. */
export function audit(entries: Iterable<readonly [string, string]>, plan: Plan): Audit {
  const problems: string[] = []
  const joints = new Array<number>(JOINTS).fill(0)
  const pockets = new Array<number>(plan.slots).fill(0)
  const sequences = new Map<number, number>()
  let total = 0
  let last = ''
  for (const [key, text] of entries) {
    const amount = Number(text)
    const [kind, first] = key.split('/')
    if (key <= last) problems.push(`${key} follows ${last}`)
    last = key
    if (!Number.isSafeInteger(amount) || (amount === 0 && kind !== 's')) problems.push(`${key} is '${text}'`)
    if (kind === 'a') {
      total += amount
      if (amount < 0 || accountOf(key) >= plan.accounts) problems.push(`${key} holds ${amount}`)
    } else if (kind === 'j') joints[Number(first)] += amount
    else if (kind === 'p') pockets[Number(first)] += amount
    else if (kind === 's') sequences.set(Number(first), amount)
    else problems.push(`${key} is no part of the bank`)
  }
  for (const [joint, sum] of joints.entries()) {
    total += sum
    if (!(sum >= 0)) problems.push(`joint account ${joint} is overdrawn: ${sum}`)
  }
  for (const [slot, sum] of pockets.entries()) {
    if (sum !== POCKET_TOTAL) problems.push(`the pockets of slot ${slot} hold ${sum}, not ${POCKET_TOTAL}`)
  }
  if (total !== totalOf(plan)) problems.push(`the total is ${total}, not ${totalOf(plan)}`)
  return { problems, sequences }
}
