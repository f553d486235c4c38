// libcni-driver drives CNI plugins through the real libcni, the library inside every Go container runtime.
//
//	libcni-driver VERB CONFLIST CONTAINERID NETNS IFNAME [K=V;K=V [CAPABILITIES]]
//
// VERB: add (prints the result), check, del, validate (asks every plugin for its VERSION). K=V;K=V becomes CNI_ARGS;
// CAPABILITIES is a JSON object, e.g. {"portMappings": [...]}, of which each plugin gets what it declares.
// Environment: CNI_PATH (plugin directories), CNI_CACHE (where results are kept between verbs).
// Exit status 1 and one line on stderr if libcni reports an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
)

func parseArgs(text string) [][2]string {
	var pairs [][2]string
	for _, word := range strings.Split(text, ";") {
		if key, value, found := strings.Cut(word, "="); found {
			pairs = append(pairs, [2]string{key, value})
		}
	}
	return pairs
}

func run(verb string, list *libcni.NetworkConfigList, attachment *libcni.RuntimeConf) error {
	path := filepath.SplitList(os.Getenv("CNI_PATH"))
	cni := libcni.NewCNIConfigWithCacheDir(path, os.Getenv("CNI_CACHE"), nil)
	ctx := context.Background()
	switch verb {
	case "add":
		result, err := cni.AddNetworkList(ctx, list, attachment)
		if err != nil {
			return err
		}
		return result.Print()
	case "check":
		return cni.CheckNetworkList(ctx, list, attachment)
	case "del":
		return cni.DelNetworkList(ctx, list, attachment)
	case "validate":
		_, err := cni.ValidateNetworkList(ctx, list)
		return err
	}
	return fmt.Errorf("no verb %q: want add, check, del or validate", verb)
}

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "usage: libcni-driver VERB CONFLIST CONTAINERID NETNS IFNAME [K=V;K=V [CAPABILITIES]]")
		os.Exit(2)
	}
	list, err := libcni.ConfListFromFile(os.Args[2])
	attachment := &libcni.RuntimeConf{ContainerID: os.Args[3], NetNS: os.Args[4], IfName: os.Args[5]}
	if len(os.Args) > 6 {
		attachment.Args = parseArgs(os.Args[6])
	}
	if err == nil && len(os.Args) > 7 {
		err = json.Unmarshal([]byte(os.Args[7]), &attachment.CapabilityArgs)
	}
	if err == nil {
		err = run(os.Args[1], list, attachment)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
