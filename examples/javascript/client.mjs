// A client of the FansMetric API: it waits out full windows and failures of upstream, and follows pages.

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export class ChatClient {
  constructor(baseUrl, apiKey, sleep = pause) {
    Object.assign(this, { baseUrl, apiKey, sleep });
  }

  async chats(account) {
    const chats = [];
    for (let page = `/v1/${account}/chats?limit=50`; page; ) {
      const answer = await this.get(page);
      chats.push(...answer.data.list);
      page = answer._pagination?.next_page;
    }
    return chats;
  }

  async get(path) {
    for (let attempt = 0; ; attempt += 1) {
      const response = await fetch(this.baseUrl + path, {
        headers: { Authorization: `Bearer ${this.apiKey}` },
      });
      if (response.ok) return response.json();
      if (attempt === 4 || (response.status !== 429 && response.status < 500)) {
        throw new Error(`${response.status}: ${(await response.json()).error}`);
      }
      await response.arrayBuffer();
      await this.sleep(response.status === 429 ? 60 : 2 ** attempt + Math.random());
    }
  }
}
