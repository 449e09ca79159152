/** Explores a scenario by itself, as a script does that is run with the explorer's module hooks. */
import { explore } from '../../../src/explore/index.ts'
import { rightLock, wrongLock } from './ticket-lock.ts'

console.log(JSON.stringify([rightLock, wrongLock].map((options) => explore(options).error?.message ?? 'right')))
