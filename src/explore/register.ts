/** `node --import heddle/explore/register file.ts`: runs a file, instrumented with all that it imports relatively. */
import { resolve } from 'node:path'
import { instrumentFrom } from './instrumenting.ts'

const entry = process.argv[1]
if (entry !== undefined) instrumentFrom([resolve(entry)])
