package hmn

// Update is when and how a candidate is applied.
type Update uint8

// Modes of application.
const (
	Window     Update = iota // one trial per synapse and oscillation cycle (canonical)
	Continuous               // dw/dt = drift, no trial
	Step                     // one trial per step of the clocked engine, the paper's pseudocode
)

// Params are the constants of the rule for one projection, defaults filled in
// (Resolve). Units: ms, Hz, rad; [w] is the unit of the projection's weight.
// Symbols are those of the HMN paper's equations.
type Params struct {
	Preset string // "hmn-core", …; "" when the parameters were given one by one
	Rates  bool   // between rate units or level sources; otherwise between spiking populations

	WMin, WMax float64 // bounds of the weight's magnitude [w]

	// Traces, Eq. 2.
	AFast, ASlow      float64
	TauFast, TauSlow  float64 // ms
	TauPlus, TauMinus float64 // ms, filters of arrivals and of post spikes
	APlus, AMinus     float64
	Nearest           bool // filters are set to 1 instead of +1
	Overwrite         bool // trace = "overwrite": e := jump
	CenterPost        bool // rates: z − EMA(z) instead of z
	TauZbar           float64

	// Drift, Eq. 3. Spikes: [w]/ms; rates: [w]/ms².
	EtaLocal, EtaGlobal float64

	// Gate, Eq. 4.
	Gate         bool
	OscHz        float64
	OscPhase     float64 // φ_0
	GateGain     float64 // κ
	Phase        float64 // φ of all synapses, unless PhaseUniform or the edge list gives it
	PhaseUniform bool
	PhaseBins    int // 0: exact phases

	// Application, Eq. 5.
	Update        Update
	EtaPerStep    bool // step mode: candidate = drift, without Δt
	Bernoulli     bool
	BetaP, ThetaP float64 // 1/[w], [w]
	Soft          bool    // Gütig soft bounds with exponent Mu
	Mu            float64
	LambdaW       float64 // 1/ms
	EtaPhi        float64 // rad per coincidence

	// Local attention, Eqs. 8–9.
	BetaA      float64
	FanIn      bool // α̂ = F_j α; otherwise α
	EmbedDim   int
	Embedding  string // random_unit | given | oja
	EtaH       float64
	TauCtx     float64
	Dot        bool   // similarity = "dot"
	AlphaCycle bool   // alpha_hold = "cycle"
	Group      string // projections whose synapses share one softmax; "": by the sign of their weights

	// Global attention, Eqs. 10–11.
	BetaG     float64
	Relevance string // abs | dot | vector
	GammaK    bool   // γ̂ = K γ; otherwise γ
	TauC      float64
	RRef      float64 // Hz for spikes, 1 for rates

	// Weights w_k of modulators that give none themselves, by their name or
	// built-in kind; any other modulator has 1.
	WReward, WUncertainty, WNovelty float64

	SettleCycles int // S
}
