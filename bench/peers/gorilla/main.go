// Rooms over gorilla/websocket, in the two ways that tutorials teach.
//
// Default: a map of connections and a loop that writes each message to all of them. The tutorials'
// map is a data race between the goroutines of the connections; here a mutex mends it.
//
// -pumps: the chat example of the library itself: a hub, and for each client a channel of 256
// messages and a goroutine that writes them. A client whose channel is full is dropped. The example
// joins queued messages to one with newlines; here each stays a message of its own.
package main

import (
	"flag"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{
	ReadBufferSize:  1024,
	WriteBufferSize: 1024,
	CheckOrigin:     func(*http.Request) bool { return true },
}

type message struct {
	kind int
	data []byte
}

type client struct {
	conn *websocket.Conn
	send chan message // only with -pumps
}

type room struct {
	mutex   sync.Mutex
	clients map[*client]bool
}

type hub struct {
	mutex sync.Mutex
	rooms map[string]*room
	pumps bool
}

func (h *hub) join(name string, c *client) *room {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	r := h.rooms[name]
	if r == nil {
		r = &room{clients: make(map[*client]bool)}
		h.rooms[name] = r
	}
	r.mutex.Lock()
	r.clients[c] = true
	r.mutex.Unlock()
	return r
}

func (h *hub) leave(name string, r *room, c *client) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.drop(c)
	if len(r.clients) == 0 && h.rooms[name] == r {
		delete(h.rooms, name)
	}
}

// drop is called under the room's mutex.
func (r *room) drop(c *client) {
	if !r.clients[c] {
		return
	}
	delete(r.clients, c)
	if c.send != nil {
		close(c.send)
	}
}

func (r *room) broadcast(m message) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for c := range r.clients {
		if c.send == nil {
			if err := c.conn.WriteMessage(m.kind, m.data); err != nil {
				c.conn.Close()
				r.drop(c)
			}
			continue
		}
		select {
		case c.send <- m:
		default:
			r.drop(c)
		}
	}
}

func (c *client) writePump() {
	defer c.conn.Close()
	for m := range c.send {
		if c.conn.WriteMessage(m.kind, m.data) != nil {
			return
		}
	}
	c.conn.WriteMessage(websocket.CloseMessage, nil)
}

func (h *hub) serve(w http.ResponseWriter, request *http.Request) {
	conn, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	c := &client{conn: conn}
	if h.pumps {
		c.send = make(chan message, 256)
		go c.writePump()
	}
	name := strings.TrimPrefix(request.URL.Path, "/ws/")
	r := h.join(name, c)
	defer h.leave(name, r, c)
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		r.broadcast(message{kind, data})
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8001", "address and port")
	pumps := flag.Bool("pumps", false, "a channel and a writing goroutine for each client")
	flag.Parse()
	h := &hub{rooms: make(map[string]*room), pumps: *pumps}
	http.HandleFunc("/ws/", h.serve)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
