// Lets a worker thread run TypeScript straight from the sources:
//   new Worker(new URL('./x.ts', import.meta.url), { execArgv: ['--import', <the URL of this file>] })
// Used in tests only and never shipped: the built package starts workers on JavaScript.
import { register } from 'tsx/esm/api'

register()
