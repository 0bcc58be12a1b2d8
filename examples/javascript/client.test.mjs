// Run with `node --test`; needs Node 20 or newer, a running `mockserver serve`, and nothing else.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { ChatClient } from './client.mjs';
import { organization, url } from './fansmetric.mjs';

let org;

beforeEach(async () => {
  org = await organization({ limit_minute: 100 });
});

afterEach(() => org.remove());

async function client() {
  return new ChatClient(url, await org.key(['api_chats_list']), org.advance);
}

test('reads every chat', async () => {
  const chats = await (await client()).chats(1001);

  assert.equal(chats.length, 60);
  assert.deepEqual(await org.findings(), []);
});

test('waits for the next minute', async () => {
  await org.setRemaining({ remaining_minute: 1 });
  const chats = await (await client()).chats(1001);

  assert.equal(chats.length, 60);
  assert.deepEqual((await org.requests()).map((request) => request.status), [200, 429, 200]);
});

test('survives a failing upstream', async () => {
  await org.failNext(502, 2);
  await (await client()).chats(1001);

  assert.deepEqual((await org.requests()).map((request) => request.status), [502, 502, 200, 200]);
});

test('gives up where waiting cannot help', async () => {
  const reader = await client();

  await org.loseSync(1001);
  await assert.rejects(reader.chats(1001), /^Error: 424/);
  await org.set({ subscription: 'past_due' });
  await assert.rejects(reader.chats(1001), /^Error: 402/);
  assert.equal((await org.requests()).length, 2);
});

test('learns from misuse what would be right', async () => {
  await assert.rejects(org.key(['api_chat_list']), /api_chat_list/);
});
