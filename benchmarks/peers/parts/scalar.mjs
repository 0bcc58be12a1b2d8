// The mock server of Scalar as its documentation starts it: node scalar.mjs DOCUMENT PORT
import { serve } from '@hono/node-server'
import { createMockServer } from '@scalar/mock-server'
import { readFileSync } from 'node:fs'

const [file, port] = process.argv.slice(2)
const app = await createMockServer({ document: JSON.parse(readFileSync(file, 'utf8')) })
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
