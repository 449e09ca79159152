// Prints "N passed, N failed" from a vitest JSON report. A test file which could not even be loaded counts as
// one failure, since its tests never ran.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
let passed = 0
let failed = 0
for (const file of report.testResults) {
  for (const test of file.assertionResults) {
    if (test.status === 'passed') passed++
    else if (test.status === 'failed') failed++
  }
  if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) failed++
}
console.log(`${passed} passed, ${failed} failed`)
