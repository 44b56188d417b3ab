"""The JavaScript that lets no answer get lost between two streams of Gradio's."""

STREAM_JS = """
// Gradio's client (6.31) opens a stream of answers when an event joins and none is open, and takes it for open until it has read
// `close_stream`. The answer to an event that joins after the server has ended the stream, but before the client knows, is read by
// nobody: a click is lost. Here a stream that ends while an answer is due goes on with the next one, and the client never knows.
(() => {
  const ask = window.fetch.bind(window);
  const due = new Set(), early = new Set();  // joined and not answered; answered before the word came that they had joined
  let told = Promise.resolve();
  const answers = async function* (request, response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return;
      const whole = (rest + value).split('\\n\\n');
      rest = whole.pop();
      for (const text of whole) {
        const {msg, event_id: event} = text.startsWith('data: ') ? JSON.parse(text.slice(6)) : {};
        if (msg === 'process_completed' && !due.delete(event)) early.add(event);
        if (msg === 'close_stream') {
          const next = due.size ? await ask(request) : null;
          if (next?.ok) return yield* answers(request, next);
          told = new Promise(done => setTimeout(done));  // what joins now is answered once the client has read this
        }
        yield text + '\\n\\n';
        if (msg === 'close_stream') return;
      }
    }
  };
  const followed = (request, response) => {
    const texts = answers(request, response), encoder = new TextEncoder();
    const pull = async stream => {
      const {value, done} = await texts.next();
      if (done) stream.close();
      else stream.enqueue(encoder.encode(value));
    };
    return new Response(new ReadableStream({pull}), response);
  };
  window.fetch = async (...call) => {
    const {pathname} = new URL(call[0].url ?? call[0], location.href), [, end] = /\\/queue\\/(join|data)$/.exec(pathname) ?? [];
    const request = end === 'data' ? new Request(...call) : null;
    const response = await (request ? ask(request) : ask(...call));
    if (!end || !response.ok) return response;
    if (request) return followed(request, response);
    const {event_id: event} = await response.clone().json();
    if (!early.delete(event)) due.add(event);
    await told;
    return response;
  };
})();
"""
