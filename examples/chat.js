// Connects the page to the chat until the session ends.

const SESSION_ENDED = 1008; // `EndReason::close_code`

const element = id => document.getElementById(id);
const show = status => (element("status").textContent = status);

async function connect() {
    const answer = await fetch("/user").catch(() => undefined);
    if (answer?.status === 401) {
        return show("Signed out");
    }
    if (!answer?.ok) {
        return connectLater();
    }
    const user = await answer.text();
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
    socket.onopen = () => show(`Signed in as ${user}`);
    socket.onmessage = ({ data }) => {
        const line = document.createElement("li");
        line.textContent = data;
        element("said").append(line);
    };
    socket.onclose = ({ code }) => (code === SESSION_ENDED ? show("Signed out") : connectLater());
    element("say").onsubmit = event => {
        event.preventDefault();
        socket.send(element("message").value);
        element("message").value = "";
    };
}

// After a moment, the browser has the cookie of a new id (close code 1012), or the network is back.
function connectLater() {
    show("Connecting …");
    setTimeout(connect, 1000);
}

connect();
