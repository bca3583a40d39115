// Plugins of every type that SPIRE's hosts load, on SPIRE's unmodified SDK. The first argument says which one; what
// happens is appended to the file that the settings name (file = "...").
package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/spiffe/spire-plugin-sdk/pluginmain"
	"github.com/spiffe/spire-plugin-sdk/pluginsdk"
	metricsv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/common/metrics/v1"
	agentstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/agentstore/v1"
	identityproviderv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/identityprovider/v1"
	agentkeysv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/keymanager/v1"
	provev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/nodeattestor/v1"
	workloadv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/workloadattestor/v1"
	publishv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/bundlepublisher/v1"
	keysv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	attestv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/nodeattestor/v1"
	notifyv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/notifier/v1"
	upstreamv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/upstreamauthority/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// common is what every plugin has: settings, a log, the host's services.
type common struct {
	configv1.UnimplementedConfigServer
	mu       sync.Mutex
	domain   string
	file     string
	log      hclog.Logger
	metrics  metricsv1.MetricsServiceClient
	agents   agentstorev1.AgentStoreServiceClient
	identity identityproviderv1.IdentityProviderServiceClient
}

func (c *common) SetLogger(log hclog.Logger) { c.log = log }

func (c *common) BrokerHostServices(broker pluginsdk.ServiceBroker) error {
	if !broker.BrokerClient(&c.metrics) {
		return fmt.Errorf("no metrics at this host")
	}
	broker.BrokerClient(&c.agents)
	broker.BrokerClient(&c.identity)
	return nil
}

func (c *common) Configure(_ context.Context, r *configv1.ConfigureRequest) (*configv1.ConfigureResponse, error) {
	file, err := settings(r.HclConfiguration)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.domain, c.file = r.CoreConfiguration.TrustDomain, file
	c.mu.Unlock()
	c.log.Warn("Settings taken", "file", file)
	c.note("configured")
	return &configv1.ConfigureResponse{}, nil
}

func (c *common) Validate(_ context.Context, r *configv1.ValidateRequest) (*configv1.ValidateResponse, error) {
	if _, err := settings(r.HclConfiguration); err != nil {
		return &configv1.ValidateResponse{Notes: []string{status.Convert(err).Message()}}, nil
	}
	return &configv1.ValidateResponse{Valid: true}, nil
}

func settings(text string) (file string, err error) {
	if _, err := fmt.Sscanf(text, "file = %q", &file); err != nil {
		return "", status.Errorf(codes.InvalidArgument, "file is not set in %q", text)
	}
	return file, nil
}

func (c *common) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := os.OpenFile(c.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		c.log.Error("Cannot write", "error", err)
		return
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

func main() {
	kind := ""
	if len(os.Args) > 1 {
		kind = os.Args[1]
	}
	switch kind {
	case "keys":
		p := &keys{}
		pluginmain.Serve(keysv1.KeyManagerPluginServer(p), configv1.ConfigServiceServer(p))
	case "agent-keys":
		p := &agentKeys{}
		pluginmain.Serve(agentkeysv1.KeyManagerPluginServer(p), configv1.ConfigServiceServer(p))
	case "attest":
		p := &attestor{}
		pluginmain.Serve(attestv1.NodeAttestorPluginServer(p), configv1.ConfigServiceServer(p))
	case "prove":
		p := &prover{}
		pluginmain.Serve(provev1.NodeAttestorPluginServer(p), configv1.ConfigServiceServer(p))
	case "workload":
		p := &workload{}
		pluginmain.Serve(workloadv1.WorkloadAttestorPluginServer(p), configv1.ConfigServiceServer(p))
	case "publish":
		p := &publisher{}
		pluginmain.Serve(publishv1.BundlePublisherPluginServer(p), configv1.ConfigServiceServer(p))
	case "notify":
		p := &notifier{}
		pluginmain.Serve(notifyv1.NotifierPluginServer(p), configv1.ConfigServiceServer(p))
	case "upstream":
		p := &upstream{}
		pluginmain.Serve(upstreamv1.UpstreamAuthorityPluginServer(p), configv1.ConfigServiceServer(p))
	case "silent":
		select {}
	default:
		fmt.Fprintln(os.Stderr, "usage: plugin keys | agent-keys | attest | prove | workload | publish | notify | upstream | silent")
		os.Exit(2)
	}
}
